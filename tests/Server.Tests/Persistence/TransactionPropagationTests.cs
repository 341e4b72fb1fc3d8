using System.Text;
using KvServer.Server.Persistence;

namespace KvServer.Server.Tests.Persistence;

public sealed class TransactionPropagationTests : CommandHarness
{
    public TransactionPropagationTests() => Server.Propagation.Start();

    [Fact]
    public void A_transaction_is_one_unit_with_what_expires_in_it()
    {
        Run("SET", "old", "v", "PX", "10");
        Advance(11);
        Passed();
        Run("MULTI");
        Run("GET", "old");
        Run("SADD", "s", "a");
        Run("SELECT", "1");
        Run("GET", "none");
        Run("MSET", "a", "1", "b", "2");
        Run("EXEC");
        Run("SET", "after", "1");
        Assert.Equal("MULTI|DEL old|SADD s a|SELECT 1|MSET a 1 b 2|EXEC|SET after 1", Passed());
    }

    [Fact]
    public void A_log_that_is_stopped_inside_a_transaction_holds_nothing_of_it()
    {
        PropagationLog log = Server.Propagation;
        log.BeginUnit();
        for (int i = 0; i < 3; i++)
        {
            log.Begin(Server.Keyspace[0], 1);
            log.Argument("PING"u8);
        }

        log.Stop();
        Assert.Equal(0, log.LengthBytes);
        log.EndUnit();
        Assert.Equal(0, log.LengthBytes);
        log.Start();
        Run("SET", "a", "1");
        Assert.Equal("SELECT 0|SET a 1", Passed());
    }

    [Fact]
    public void A_transaction_that_makes_one_change_is_that_change()
    {
        Passed();
        Run("MULTI");
        Run("GET", "k");
        Run("SET", "k", "v");
        Run("EXEC");
        Run("MULTI");
        Run("GET", "k");
        Run("EXEC");
        Run("MULTI");
        Run("SET", "k", "w");
        Run("DISCARD");
        Assert.Equal("SELECT 0|SET k v", Passed());
    }

    [Fact]
    public void A_part_that_is_taken_back_leaves_the_others()
    {
        Write(parts: [["A"], ["B", "C"], ["D"]], abandoned: 1);
        Assert.Equal("SELECT 0|MULTI|A|SELECT 0|D|EXEC", Passed());
        Write(parts: [["A"], ["B"], ["C", "D"]], abandoned: 0);
        Assert.Equal("SELECT 0|MULTI|B|C|D|EXEC", Passed());
        Write(parts: [["A", "B"], ["C"]], abandoned: 0);
        Assert.Equal("SELECT 0|C", Passed());
        Write(parts: [["A"], ["B"]], abandoned: 1);
        Assert.Equal("MULTI|A|EXEC", Passed());
    }

    private void Write(string[][] parts, int abandoned)
    {
        KvServer.Server.Persistence.PropagationLog log = Server.Propagation;
        log.BeginUnit();
        for (int i = 0; i < parts.Length; i++)
        {
            log.BeginPart();
            foreach (string request in parts[i])
            {
                log.Begin(Server.Keyspace[0], 1);
                log.Argument(Encoding.Latin1.GetBytes(request));
            }

            if (i == abandoned)
            {
                Assert.True(log.AbandonPart());
            }
        }

        log.EndUnit();
    }

    private string Passed()
    {
        string[] lines = Encoding.Latin1.GetString(Server.Propagation.Bytes).Split("\r\n");
        Server.Propagation.Clear();
        List<string> requests = [];
        for (int at = 0; at + 1 < lines.Length;)
        {
            int count = int.Parse(lines[at++].AsSpan(1), System.Globalization.CultureInfo.InvariantCulture);
            requests.Add(string.Join(' ', Enumerable.Range(0, count).Select(i => lines[at + 1 + (2 * i)])));
            at += 2 * count;
        }

        return string.Join('|', requests);
    }
}
