namespace KvServer.Fuzz;

/// <summary>An input that broke a rule.</summary>
public sealed class FuzzFailureException : Exception
{
    /// <summary>Makes the exception for one input.</summary>
    public FuzzFailureException(string message, byte[] input)
        : base($"{message}\ninput (base64): {Convert.ToBase64String(input)}") => Input = input;

    /// <summary>The input.</summary>
    public byte[] Input { get; }
}
