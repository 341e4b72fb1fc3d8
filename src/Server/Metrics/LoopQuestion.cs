namespace KvServer.Server.Metrics;

/// <summary>Asks the command loop for something, on behalf of any number of threads at the same time.</summary>
/// <remarks>
/// Whoever asks while an answer is on its way, or has come just now, gets that one: however many ask, the loop has at most
/// one question waiting and answers at most one per <paramref name="freshFor"/>. Any thread.
/// </remarks>
/// <param name="post">Runs work inside the command loop.</param>
/// <param name="answer">Runs there; short, since everybody waits for it.</param>
/// <param name="clock">Tells how old an answer is.</param>
/// <param name="freshFor">How long after the question an answer is given again.</param>
/// <typeparam name="T">What is asked for; must not point into the keyspace.</typeparam>
internal sealed class LoopQuestion<T>(Action<Action> post, Func<T> answer, TimeProvider clock, TimeSpan freshFor)
{
    private readonly Lock _gate = new();
    private Task<T>? _last;
    private long _askedAt;

    /// <summary>The answer, once the loop gets to it. A fault of the answer is that of the task.</summary>
    public Task<T> AskAsync()
    {
        TaskCompletionSource<T> promise;
        lock (_gate)
        {
            if (_last is { } last && (!last.IsCompleted || clock.GetElapsedTime(_askedAt) < freshFor))
            {
                return last;
            }

            promise = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
            _last = promise.Task;
            _askedAt = clock.GetTimestamp();
        }

        post(() =>
        {
            try
            {
                promise.SetResult(answer());
            }
            catch (Exception e)
            {
                // An exception that got out would stop the loop, and the server with it.
                promise.SetException(e);
            }
        });
        return promise.Task;
    }
}
