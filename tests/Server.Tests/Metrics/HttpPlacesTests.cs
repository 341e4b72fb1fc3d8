using KvServer.Server.Metrics;

namespace KvServer.Server.Tests.Metrics;

/// <summary>Who goes when the places are full.</summary>
public sealed class HttpPlacesTests
{
    private readonly HttpPlaces _places = new(2);
    private readonly List<string> _closed = [];

    [Fact]
    public void The_one_that_has_been_silent_longest_goes()
    {
        HttpPlaces.Place first = Take("first")!;
        Assert.NotNull(Take("second"));
        first.BeginAnswer();
        first.EndAnswer(); // Now the second has been silent for longer.
        Assert.NotNull(Take("third"));
        Assert.Equal(["second"], _closed);
        Assert.NotNull(Take("fourth"));
        Assert.Equal(["second", "first"], _closed);
    }

    [Fact]
    public void Those_being_answered_stay_and_a_further_one_is_refused()
    {
        HttpPlaces.Place first = Take("first")!;
        HttpPlaces.Place second = Take("second")!;
        first.BeginAnswer();
        Assert.NotNull(Take("third"));
        Assert.Equal(["second"], _closed);
        second.BeginAnswer(); // Too late: it has been closed, and no longer counts.
        second.EndAnswer();
        second.Dispose();
        HttpPlaces.Place fourth = Take("fourth")!;
        fourth.BeginAnswer();
        Assert.Null(Take("fifth"));
        first.Dispose();
        Assert.NotNull(Take("sixth"));
        Assert.Equal(["second", "third"], _closed);
    }

    [Fact]
    public void A_connection_that_ends_gives_its_place_back()
    {
        for (int i = 0; i < 5; i++)
        {
            using HttpPlaces.Place silent = Take("silent")!;
            using HttpPlaces.Place answered = Take("answered")!;
            answered.BeginAnswer();
        }

        Assert.Empty(_closed);
    }

    private HttpPlaces.Place? Take(string name) => _places.TryTake(() => _closed.Add(name));
}
