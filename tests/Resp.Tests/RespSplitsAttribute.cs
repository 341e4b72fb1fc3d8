using System.Buffers;
using System.Reflection;
using System.Text;
using KvServer.Fuzz;
using Xunit.Sdk;
using Xunit.v3;

namespace KvServer.Resp.Tests;

/// <summary>Repeats a case with its bytes whole, cut at each position, and one byte per piece.</summary>
/// <remarks>A test that takes a <see cref="ReadOnlySequence{T}"/> gets the pieces as segments of one sequence; one that
/// takes an <see cref="Arrival"/> gets them in every other way as well, such as successive reads of a growing
/// buffer.</remarks>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class RespSplitsAttribute(string bytes) : DataAttribute
{
    public string Bytes { get; } = bytes;

    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(
        MethodInfo testMethod, DisposalTracker disposalTracker)
    {
        byte[] input = Encoding.Latin1.GetBytes(Bytes);
        bool asSequence = testMethod.GetParameters()[0].ParameterType == typeof(ReadOnlySequence<byte>);
        IEnumerable<ArrivalKind> kinds = asSequence ? [ArrivalKind.Segments] : Enum.GetValues<ArrivalKind>();
        var rows = new List<ITheoryDataRow>();
        foreach (ArrivalKind kind in kinds)
        {
            IEnumerable<int[]> cuts = Enumerable.Range(1, input.Length - 1).Select(cut => (int[])[cut])
                .Prepend([]).Append([.. Enumerable.Range(1, input.Length - 1)]);
            foreach (int[] cut in cuts)
            {
                var arrival = new Arrival(input, cut, kind);
                rows.Add(new TheoryDataRow(asSequence ? arrival.ToSequence() : arrival)
                {
                    TestDisplayName = $"{testMethod.Name} ({arrival})",
                });
            }
        }

        return ValueTask.FromResult<IReadOnlyCollection<ITheoryDataRow>>(rows);
    }

    // Sequences and arrivals cannot be written down for a runner to bring back later.
    public override bool SupportsDiscoveryEnumeration() => false;
}
