using System.Diagnostics;
using System.IO.Pipelines;

namespace KvServer.Server.Net;

/// <summary>Flushing the pipes that have no threshold.</summary>
internal static class PipeWriterExtensions
{
    /// <summary>Makes what was written visible to the reader, whose continuation may run inside this call.</summary>
    /// <param name="writer">The writing end of a pipe without a pause threshold: its flush never waits. How much may be
    /// unread is limited by the configured rules instead.</param>
    internal static void FlushNow(this PipeWriter writer)
    {
        ValueTask<FlushResult> flushed = writer.FlushAsync();
        if (!flushed.IsCompletedSuccessfully)
        {
            throw new UnreachableException("The flush of a pipe without a threshold had to wait.");
        }
    }
}
