using System.Diagnostics;

namespace KvServer.Storage;

/// <summary>Links nodes that come in order, each in constant time. The list's dict is not touched.</summary>
internal unsafe ref struct SkipListBuilder
{
    private readonly SkipListState* _state;
    private LastTowers _last;
    private byte* _tail;
    private uint _count;

    /// <summary>Begins with a list without nodes.</summary>
    public SkipListBuilder(SkipListState* state)
    {
        Debug.Assert(state->Tail == null, "The list has no nodes yet.");
        _state = state;
        for (int level = 0; level < SortedMemberLayout.MaxLevels; level++)
        {
            _last.Towers[level] = (nint)state->Head;
        }
    }

    /// <summary>Adds a node that comes behind all others.</summary>
    public void Append(byte* node)
    {
        _count++;
        int levels = SortedMemberLayout.LevelsOf(node);
        for (int level = 0; level < levels; level++)
        {
            var tower = (byte*)_last.Towers[level];
            SortedMemberLayout.SetForward(tower, level, node);
            SortedMemberLayout.SetSpan(tower, level, _count - _last.Ranks[level]);
            _last.Towers[level] = (nint)(node + SortedMemberLayout.TowerOffset);
            _last.Ranks[level] = _count;
        }

        SortedMemberLayout.SetBack(node, _tail);
        _tail = node;
        _state->Levels = Math.Max(_state->Levels, levels);
    }

    /// <summary>Ends the list.</summary>
    public void Finish()
    {
        for (int level = 0; level < _state->Levels; level++)
        {
            var tower = (byte*)_last.Towers[level];
            SortedMemberLayout.SetForward(tower, level, null);
            SortedMemberLayout.SetSpan(tower, level, _count - _last.Ranks[level]);
        }

        _state->Tail = _tail;
    }

    /// <summary>The last tower of each level, and the rank behind it.</summary>
    private struct LastTowers
    {
        public fixed long Towers[SortedMemberLayout.MaxLevels];
        public fixed uint Ranks[SortedMemberLayout.MaxLevels];
    }
}
