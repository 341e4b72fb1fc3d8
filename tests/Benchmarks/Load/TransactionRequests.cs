namespace KvServer.Benchmarks.Load;

/// <summary>MULTI, some SETs and EXEC, sent as one and answered as one.</summary>
internal sealed class TransactionRequests : IRequestSource
{
    private const int Keys = 100_000;

    private readonly Random _random;
    private readonly byte[] _request;
    private readonly int[] _numbersAt;

    /// <summary>Makes a source of transactions with so many SETs of random keys.</summary>
    public TransactionRequests(int sets, int seed)
    {
        _random = new Random(seed);
        string number = new('#', KeyRequests.Digits);
        string set = $"*3\r\n$3\r\nSET\r\n${4 + number.Length}\r\nkey:{number}\r\n$8\r\nabcdefgh\r\n";
        string text = "*1\r\n$5\r\nMULTI\r\n" + string.Concat(Enumerable.Repeat(set, sets)) + "*1\r\n$4\r\nEXEC\r\n";
        _request = System.Text.Encoding.ASCII.GetBytes(text);
        int first = text.IndexOf(number, StringComparison.Ordinal);
        _numbersAt = [.. Enumerable.Range(0, sets).Select(i => first + (i * set.Length))];
        ReplyBytes = ("+OK\r\n".Length * (1 + sets)) + ("+QUEUED\r\n".Length * sets) + $"*{sets}\r\n".Length;
    }

    public string Name => "MULTI EXEC";

    public int ReplyBytes { get; }

    public ReadOnlySpan<byte> Next()
    {
        foreach (int at in _numbersAt)
        {
            RequestTemplate.WriteNumber(_request.AsSpan(at, KeyRequests.Digits), _random.Next(Keys));
        }

        return _request;
    }
}
