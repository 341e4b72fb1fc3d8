namespace KvServer.Server.Metrics;

/// <summary>What is answered over HTTP.</summary>
/// <param name="Status">The status code.</param>
/// <param name="ContentType">The type of the body.</param>
/// <param name="Body">The body, UTF-8.</param>
internal readonly record struct HttpAnswer(int Status, string ContentType, byte[] Body)
{
    /// <summary>A line of plain text.</summary>
    public static HttpAnswer Line(int status, string text) =>
        new(status, "text/plain; charset=utf-8", System.Text.Encoding.UTF8.GetBytes(text + "\n"));
}
