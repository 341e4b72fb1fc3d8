using System.Runtime.InteropServices;

namespace KvServer.Server.Config;

/// <summary>Where a line of configuration stands, in words.</summary>
/// <param name="Source">A file path, or what else it comes from.</param>
/// <param name="LineNumber">From 1; 0 where lines have no number.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct ConfigPlace(string Source, int LineNumber)
{
    public override string ToString() => LineNumber > 0
        ? $"Reading the configuration file, at line {LineNumber} of {Source}"
        : $"Reading {Source}";
}
