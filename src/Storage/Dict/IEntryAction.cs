namespace KvServer.Storage;

/// <summary>What is done with each entry of a scan or a walk; a type of its own, so that nothing is allocated.</summary>
/// <typeparam name="TContext">What does not change during the walk.</typeparam>
/// <typeparam name="TState">What the action collects.</typeparam>
public unsafe interface IEntryAction<TContext, TState>
    where TState : allows ref struct
{
    /// <summary>Called once per entry; may take out and free this entry, but no other.</summary>
    static abstract void Visit(TContext context, ref TState state, byte* entry);
}
