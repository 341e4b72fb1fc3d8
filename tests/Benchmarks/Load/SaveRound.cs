namespace KvServer.Benchmarks.Load;

/// <summary>One background save under load and the same load just before it.</summary>
/// <param name="Without">The load without a save.</param>
/// <param name="During">The load from the sending of the command to the end of the save.</param>
/// <param name="ReplyMs">Until the reply to the command.</param>
/// <param name="Seconds">From that reply to the end.</param>
/// <param name="ForkMs">What the server says its fork took.</param>
internal sealed record SaveRound(LoadPhase Without, LoadPhase During, double ReplyMs, double Seconds, double ForkMs)
{
    /// <summary>Processor time the save itself took: what its stretch cost, less what its requests cost without it.</summary>
    public double SaveCpuSeconds =>
        During.WholeCpu.TotalSeconds - (Without.WholeCpuMicroseconds * During.Requests / 1e6);
}
