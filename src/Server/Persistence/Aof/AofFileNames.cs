using System.Globalization;

namespace KvServer.Server.Persistence.Aof;

/// <summary>How the files of the append-only folder are called; the names are redis-server 7's.</summary>
/// <remarks>Everywhere the first argument is the option <c>appendfilename</c>.</remarks>
internal static class AofFileNames
{
    /// <summary>How the name of a manifest ends.</summary>
    public const string ManifestSuffix = ".manifest";

    /// <summary>How the name of a file begins that is not finished.</summary>
    public const string TempPrefix = "temp-";

    /// <summary>A base file, as a snapshot (<c>.rdb</c>) or as requests (<c>.aof</c>).</summary>
    public static string Base(string appendFileName, long sequence, bool isRdb) => string.Create(
        CultureInfo.InvariantCulture, $"{appendFileName}.{sequence}.base.{(isRdb ? "rdb" : "aof")}");

    /// <summary>An increment file.</summary>
    public static string Increment(string appendFileName, long sequence) =>
        string.Create(CultureInfo.InvariantCulture, $"{appendFileName}.{sequence}.incr.aof");

    /// <summary>The manifest.</summary>
    public static string Manifest(string appendFileName) => appendFileName + ManifestSuffix;

    /// <summary>The manifest while it is being written.</summary>
    public static string TempManifest(string appendFileName) => TempPrefix + Manifest(appendFileName);
}
