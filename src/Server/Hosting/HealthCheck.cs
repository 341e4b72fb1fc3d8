using System.Globalization;
using System.Net.Sockets;
using System.Text;
using KvServer.Server.Config;

namespace KvServer.Server.Hosting;

/// <summary>Asks a running server whether it serves: <c>kvserver --health</c>, for containers and supervisors.</summary>
/// <remarks>
/// <para>Where the server is and which password it wants comes from the same file, environment and options as its own start,
/// so that the arguments of the server are those of the check.</para>
/// <para>Healthy is what answers as a server: PONG, but also that it wants another password, refuses writes or has no PING, since
/// a restart would not help against any of these; nor against a TLS server that takes part in the handshake and does not want
/// the certificate of the check. Not healthy is one that is loading, that refuses connections, or that does not answer.</para>
/// </remarks>
internal sealed class HealthCheck
{
    /// <summary>The option that asks for a check.</summary>
    public const string Option = "--health";

    private const int MaxReplyBytes = 4096;
    private const string UsageLine =
        "Usage: kvserver --health [-h HOST] [-p PORT] [-s SOCKET] [-t SECONDS] [/path/to/kvserver.conf] [--option value ...]";

    private static readonly string[] SignsOfLife = ["-NOAUTH", "-NOPERM", "-MISCONF", "-ERR unknown command"];

    /// <summary>Runs the check when the command line asks for it.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="exitCode">0 for a healthy server, else 1.</param>
    public static bool TryRun(string[] args, out int exitCode)
    {
        exitCode = 1;
        if (args.Length == 0 || args[0] != Option)
        {
            return false;
        }

        exitCode = RunAsync(args.AsMemory(1), Console.Out, environment: null).GetAwaiter().GetResult() ? 0 : 1;
        return true;
    }

    /// <summary>Checks, and says the result in one line.</summary>
    /// <param name="args">What follows the option.</param>
    /// <param name="report">Where the line goes.</param>
    /// <param name="environment">Names and values, those of the process if null.</param>
    /// <returns>Whether the server is healthy.</returns>
    public static async Task<bool> RunAsync(
        ReadOnlyMemory<string> args, TextWriter report, System.Collections.IDictionary? environment)
    {
        string host = "";
        string socket = "";
        int port = 0;
        double seconds = 3;
        while (args.Length > 1 && args.Span[0] is "-h" or "-p" or "-s" or "-t")
        {
            string value = args.Span[1];
            bool isGood = true;
            switch (args.Span[0])
            {
                case "-h": host = value; break;
                case "-s": socket = value; break;
                case "-p":
                    isGood = int.TryParse(value, CultureInfo.InvariantCulture, out port) && port is > 0 and < 65536;
                    break;
                default:
                    isGood = double.TryParse(value, CultureInfo.InvariantCulture, out seconds) && seconds is > 0 and <= 3600;
                    break;
            }

            if (!isGood)
            {
                await report.WriteLineAsync(UsageLine);
                return false;
            }

            args = args[2..];
        }

        if (args.Length > 0 && args.Span[0] == "-")
        {
            await report.WriteLineAsync("unhealthy: a configuration from standard input is not known here; give the port with -p");
            return false;
        }

        try
        {
            ServerConfig config = ConfigLoader.Load(
                StartupArguments.Parse(args.Span), standardInput: null, environment).Config;
            HealthTarget? target = socket.Length > 0 ? new HealthTarget("", 0, Path.GetFullPath(socket)) : HealthTarget.Of(config);
            if (socket.Length == 0 && (host.Length > 0 || port > 0))
            {
                int known = config.Port > 0 ? config.Port : config.TlsPort > 0 ? config.TlsPort : ServerConfig.Defaults.Port;
                int chosen = port > 0 ? port : known;
                target = new HealthTarget(
                    host.Length > 0 ? host : target is { Port: > 0 } ? target.Host : "127.0.0.1",
                    chosen,
                    "",
                    chosen == config.TlsPort ? config : null);
            }

            if (target is null)
            {
                await report.WriteLineAsync("unhealthy: the configuration names neither a port nor a unix socket");
                return false;
            }

            // The password is this server's: it is told to nobody else, who could only say that another is wanted.
            byte[] password = target.IsOwn(config.Bind) ? config.RequirePass : [];
            return await AskAsync(target, password, TimeSpan.FromSeconds(seconds), report);
        }
        catch (ConfigException e)
        {
            await report.WriteLineAsync("unhealthy: " + e.Message);
            return false;
        }
    }

    private static async Task<bool> AskAsync(HealthTarget target, byte[] password, TimeSpan time, TextWriter report)
    {
        using CancellationTokenSource timeout = new(time);
        TlsWitness? witness = null;
        try
        {
            await using Stream connected = await target.ConnectAsync(timeout.Token);
            witness = connected as TlsWitness;
            await using Stream stream = await target.EncryptAsync(connected, timeout.Token);
            await stream.WriteAsync(Requests(password), timeout.Token);
            byte[] buffer = new byte[MaxReplyBytes];
            int length = 0;
            string? reply;
            while ((reply = FindReply(Encoding.UTF8.GetString(buffer, 0, length), isSecond: password.Length > 0)) is null)
            {
                int read = await stream.ReadAsync(buffer.AsMemory(length), timeout.Token);
                if (read == 0)
                {
                    // Whoever is turned away has the reason in the first line.
                    reply = Encoding.UTF8.GetString(buffer, 0, length).Split("\r\n")[0];
                    break;
                }

                length += read;
            }

            return reply.Length == 0 && witness is { HasSeenServer: true }
                ? await ReportRefusalAsync(report)
                : await JudgeAsync(reply, report);
        }
        catch (OperationCanceledException)
        {
            await report.WriteLineAsync($"unhealthy: no answer from {target} in time");
            return false;
        }
        catch (Exception e) when (e is SocketException or IOException or ArgumentException
            or UnauthorizedAccessException or System.Security.Authentication.AuthenticationException)
        {
            if (witness is { HasSeenServer: true })
            {
                return await ReportRefusalAsync(report);
            }

            await report.WriteLineAsync($"unhealthy: {target}: {e.Message}");
            return false;
        }
    }

    // With TLS 1.3 the handshake is over for the client before the server has seen its certificate: what follows then is an
    // alert, the end of the connection or its reset, and with older versions the same within the handshake.
    private static async Task<bool> ReportRefusalAsync(TextWriter report)
    {
        await report.WriteLineAsync("healthy, but: the server closed the connection over TLS, for want of a certificate it trusts?");
        return true;
    }

    private static byte[] Requests(byte[] password)
    {
        using MemoryStream bytes = new();
        if (password.Length > 0)
        {
            bytes.Write(Encoding.ASCII.GetBytes(string.Create(
                CultureInfo.InvariantCulture, $"*2\r\n$4\r\nAUTH\r\n${password.Length}\r\n")));
            bytes.Write(password);
            bytes.Write("\r\n"u8);
        }

        bytes.Write("*1\r\n$4\r\nPING\r\n"u8);
        return bytes.ToArray();
    }

    /// <summary>The line that answers PING, once it has come.</summary>
    private static string? FindReply(string text, bool isSecond)
    {
        string[] lines = text.Split("\r\n");
        int index = isSecond ? 1 : 0;
        return lines.Length > index + 1 ? lines[index] : text.Length >= MaxReplyBytes ? lines[0] : null;
    }

    private static async Task<bool> JudgeAsync(string reply, TextWriter report)
    {
        string shown = new([.. reply.Take(200).Select(c => char.IsControl(c) ? '?' : c)]);
        if (reply == "+PONG")
        {
            await report.WriteLineAsync("healthy");
            return true;
        }

        if (Array.Exists(SignsOfLife, sign => reply.StartsWith(sign, StringComparison.Ordinal)))
        {
            await report.WriteLineAsync("healthy, but: " + shown[1..]);
            return true;
        }

        bool isLoading = reply.StartsWith("-LOADING", StringComparison.Ordinal);
        await report.WriteLineAsync(
            isLoading ? "loading: " + shown[1..] :
            shown.Length == 0 ? "unhealthy: the connection was closed" : "unhealthy: " + shown);
        return false;
    }
}
