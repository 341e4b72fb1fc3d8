namespace KvServer.Storage;

/// <summary>Takes the members that a scan meets; a struct of its own per use, so that nothing is allocated.</summary>
public interface ISortedSetMemberReceiver
{
    /// <summary>Called once per member, which is valid during the call. Must not change the set.</summary>
    void Receive(SortedSetMember member);

    /// <summary>Takes a member of a packed set whose score is stored as an integer.</summary>
    /// <param name="member">The member; valid during the call.</param>
    /// <param name="wholeScore">Its score.</param>
    void Receive(SetMember member, long wholeScore);
}
