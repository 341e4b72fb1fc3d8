using System.Buffers;
using KvServer.Storage;

namespace KvServer.Server.Commands.Geo;

/// <summary>The members that a search has found, in a rented array. Dispose it when done; nothing is to change the set
/// before. Command loop only.</summary>
internal ref struct GeoMatches
{
    private const int FirstCapacity = 64;
    private const int KeptCapacity = 1 << 16;
    private GeoMatch[] _matches = [];

    /// <summary>Begins with none.</summary>
    public GeoMatches()
    {
    }

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>All of them.</summary>
    public readonly ReadOnlySpan<GeoMatch> Found => _matches.AsSpan(0, Count);

    /// <summary>Adds the members of a set that are in a shape.</summary>
    /// <param name="set">The set.</param>
    /// <param name="shape">The shape.</param>
    /// <param name="limit">Where to stop looking; 0 for nowhere.</param>
    /// <remarks>O(log(members) + members in the cells that the shape touches).</remarks>
    /// <exception cref="OutOfMemoryException">There is no room for so many.</exception>
    public void Search(scoped in SortedSetValue set, in GeoShape shape, long limit)
    {
        Span<GeoCell> cells = stackalloc GeoCell[GeoSearchArea.MaxCells];
        int count = GeoSearchArea.Find(in shape, cells);
        foreach (GeoCell cell in cells[..count])
        {
            SortedSetEnumerator walk = set.Range(set.Locate(cell.Scores), reversed: false);
            while (walk.MoveNext())
            {
                if (!shape.Contains(GeoHash.PositionOf(walk.Current.Score), out double distance))
                {
                    continue;
                }

                Add(walk.Place, distance);
                if (Count == limit)
                {
                    return;
                }
            }
        }
    }

    /// <summary>Puts those that are wanted in order, at the beginning.</summary>
    /// <param name="order">Which order.</param>
    /// <param name="wanted">How many, at most all. Those behind them are in no order.</param>
    /// <remarks>Members at the same distance come in the order of the reference server, whatever that is: stable when all
    /// are wanted, otherwise as its partial sort leaves them.</remarks>
    public readonly void Sort(GeoOrder order, int wanted)
    {
        if (order == GeoOrder.None)
        {
            return;
        }

        Span<GeoMatch> found = _matches.AsSpan(0, Count);
        if (wanted < Count)
        {
            PartialSort.Sort(found, 0, wanted - 1, new DistanceOrder(order == GeoOrder.Descending));
        }
        else
        {
            found.Sort(order == GeoOrder.Ascending ? NearestFoundFirst : FarthestFoundFirst);
        }
    }

    /// <summary>Gives the array back.</summary>
    public void Dispose()
    {
        GiveBack();
        _matches = [];
        Count = 0;
    }

    private static int Nearest(GeoMatch left, GeoMatch right) => left.Distance.CompareTo(right.Distance);

    private static int Farthest(GeoMatch left, GeoMatch right) => right.Distance.CompareTo(left.Distance);

    private static int NearestFoundFirst(GeoMatch left, GeoMatch right) =>
        Nearest(left, right) is var order && order != 0 ? order : left.Order.CompareTo(right.Order);

    private static int FarthestFoundFirst(GeoMatch left, GeoMatch right) =>
        Farthest(left, right) is var order && order != 0 ? order : left.Order.CompareTo(right.Order);

    private readonly struct DistanceOrder(bool descending) : ISortOrder<GeoMatch>
    {
        public int Compare(ref readonly GeoMatch first, ref readonly GeoMatch second) =>
            descending ? Farthest(first, second) : Nearest(first, second);
    }

    // What has grown large is left to the garbage collector.
    private readonly void GiveBack()
    {
        if (_matches.Length is > 0 and <= KeptCapacity)
        {
            ArrayPool<GeoMatch>.Shared.Return(_matches);
        }
    }

    private void Add(SortedSetPlace place, double distance)
    {
        if (Count == _matches.Length)
        {
            int capacity = (int)Math.Min(int.MaxValue, Math.Max(FirstCapacity, Count * 2L));
            GeoMatch[] larger = ArrayPool<GeoMatch>.Shared.Rent(capacity);
            Found.CopyTo(larger);
            GiveBack();
            _matches = larger;
        }

        _matches[Count] = new GeoMatch(place, distance, Count);
        Count++;
    }
}
