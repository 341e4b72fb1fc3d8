using System.Runtime.InteropServices;
using KvServer.Server.Clients;
using KvServer.Server.Commands;

namespace KvServer.Server.Tracking;

/// <summary>What one client asked for with CLIENT TRACKING ON.</summary>
/// <remarks>Changed by <see cref="ClientTracking"/> and the CLIENT commands. Command loop only.</remarks>
internal sealed class TrackingSession
{
    private const string ClientContainer = "client";

    // The array's header and its place in the list.
    private const int NameOverheadBytes = 32;

    /// <summary>Which keys it is told about.</summary>
    public TrackingMode Mode { get; set; }

    /// <summary>NOLOOP: it is not told of what it changes itself.</summary>
    public bool SparesOwn { get; set; }

    /// <summary>The id of the client that is told in its place; 0 when it is told itself.</summary>
    public long RedirectId { get; set; }

    /// <summary>Whether there was something to tell when the client it redirects to was gone.</summary>
    public bool IsRedirectBroken { get; set; }

    /// <summary>Whether CLIENT CACHING made an exception for the next command, or the transaction it is in.</summary>
    public bool IsCachingGiven { get; set; }

    /// <summary>Its prefixes, ordered by their bytes. None but the empty one begins another.</summary>
    public List<byte[]> Prefixes { get; } = [];

    /// <summary>About the bytes its prefixes take.</summary>
    public long PrefixBytes { get; private set; }

    /// <summary>About the bytes a prefix of this name takes of one client.</summary>
    public static long SizeOf(byte[] name) => NameOverheadBytes + name.Length;

    /// <summary>Adds prefixes. O(n log n) in them, and one move of those it has.</summary>
    /// <returns>Those it did not have, in the order of their bytes.</returns>
    public List<byte[]> Add(IReadOnlyList<byte[]> prefixes)
    {
        List<byte[]> added = new(prefixes.Count);
        foreach (byte[] prefix in prefixes)
        {
            if (Prefixes.BinarySearch(prefix, ByteOrder.Instance) < 0)
            {
                added.Add(prefix);
            }
        }

        added.Sort(ByteOrder.Instance);
        int end = Prefixes.Count;
        CollectionsMarshal.SetCount(Prefixes, end + added.Count);
        Span<byte[]> all = CollectionsMarshal.AsSpan(Prefixes);
        for (int i = added.Count - 1; i >= 0; i--)
        {
            // From the last one on, so that everything moves once, to where it stays.
            int place = ~all[..end].BinarySearch(added[i], ByteOrder.Instance);
            all[place..end].CopyTo(all[(place + i + 1)..]);
            all[place + i] = added[i];
            end = place;
            PrefixBytes += SizeOf(added[i]);
        }

        return added;
    }

    /// <summary>Whether keys that the running command reads are remembered.</summary>
    public bool Remembers => Mode switch
    {
        TrackingMode.Reads => true,
        TrackingMode.OptIn => IsCachingGiven,
        TrackingMode.OptOut => !IsCachingGiven,
        _ => false,
    };

    /// <summary>Ends the exception that CLIENT CACHING made, unless the command was of CLIENT or is still to run.</summary>
    public void EndCall(Client client, Command? command)
    {
        if (!client.Is(ClientFlags.Multi) && command?.Container?.DisplayName != ClientContainer)
        {
            IsCachingGiven = false;
        }
    }
}
