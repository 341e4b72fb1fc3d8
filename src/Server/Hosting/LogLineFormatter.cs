using System.Globalization;
using Serilog.Events;
using Serilog.Formatting;
using Serilog.Parsing;

namespace KvServer.Server.Hosting;

/// <summary>Writes log lines the way operators of redis-server know them:
/// <c>1234:M 20 Nov 2026 17:00:00.123 * message</c>.</summary>
/// <remarks>The letter is the role (C before the server is up, M master, S replica), the sign the level
/// (<c>.</c> debug, <c>-</c> verbose, <c>*</c> notice, <c>#</c> warning). Control characters inside a message become
/// question marks: one event is one line, unless an exception follows it.</remarks>
internal sealed class LogLineFormatter : ITextFormatter
{
    /// <summary>C, M or S; any thread.</summary>
    public volatile char Role = 'C';

    public void Format(LogEvent logEvent, TextWriter output)
    {
        output.Write(string.Create(CultureInfo.InvariantCulture,
            $"{Environment.ProcessId}:{Role} {logEvent.Timestamp:dd MMM yyyy HH:mm:ss.fff} {Sign(logEvent.Level)} "));
        foreach (MessageTemplateToken token in logEvent.MessageTemplate.Tokens)
        {
            WriteToken(token, logEvent, output);
        }

        output.Write('\n');
        if (logEvent.Exception is { } exception)
        {
            output.Write(exception.ToString());
            output.Write('\n');
        }
    }

    private static char Sign(LogEventLevel level) => level switch
    {
        LogEventLevel.Verbose => '.',
        LogEventLevel.Debug => '-',
        LogEventLevel.Information => '*',
        _ => '#',
    };

    private static void WriteToken(MessageTemplateToken token, LogEvent logEvent, TextWriter output)
    {
        // Strings go out as they are, where Serilog itself would put quotes around them.
        if (token is PropertyToken property &&
            logEvent.Properties.TryGetValue(property.PropertyName, out LogEventPropertyValue? value) &&
            value is ScalarValue { Value: string text })
        {
            foreach (char c in text)
            {
                output.Write(char.IsControl(c) ? '?' : c);
            }

            return;
        }

        token.Render(logEvent.Properties, output, CultureInfo.InvariantCulture);
    }
}
