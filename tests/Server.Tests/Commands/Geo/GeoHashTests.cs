using System.Text;
using KvServer.Server.Commands.Geo;
using KvServer.Storage;

namespace KvServer.Server.Tests.Commands.Geo;

public sealed class GeoHashTests
{
    private const int RandomPositions = 20_000;

    [Theory]
    [InlineData(13.361389, 38.115556, 3479099956230698, "sqc8b49rny0")]
    [InlineData(15.087269, 37.502669, 3479447370796909, "sqdtr74hyu0")]
    [InlineData(0, 0, 3377699720527872, "s0000000000")]
    [InlineData(-180, -85.05112878, 0, "00bh0hbj200")]
    [InlineData(180, 85.05112878, 13510798882111488, "bp05b5048p0")]
    public void A_position_has_the_score_and_the_text_of_the_reference_server(
        double longitude, double latitude, double score, string text)
    {
        Assert.Equal(score, GeoHash.ScoreOf(new GeoPosition(longitude, latitude)));
        Span<byte> written = stackalloc byte[GeoHash.TextLength];
        GeoHash.WriteText(GeoHash.PositionOf(score), written);
        Assert.Equal(text, Encoding.ASCII.GetString(written));
    }

    [Fact]
    public void A_score_is_read_back_as_the_middle_of_a_cell_that_holds_the_position()
    {
        Random random = new(1);
        for (int i = 0; i < RandomPositions; i++)
        {
            GeoPosition position = Draw(random);
            double score = GeoHash.ScoreOf(position);
            GeoPosition back = GeoHash.PositionOf(score);
            Assert.Equal(position.Longitude, back.Longitude, 360.0 / (1 << GeoCell.MaxStep));
            Assert.Equal(position.Latitude, back.Latitude, 180.0 / (1 << GeoCell.MaxStep));
            Assert.Equal(score, GeoHash.ScoreOf(back));
        }
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(-0.5)]
    [InlineData(1e18)]
    [InlineData(1.8e19)]
    [InlineData(1e300)]
    [InlineData(-1e300)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void Any_score_is_read_as_a_position_on_the_map(double score) =>
        Assert.True(GeoHash.PositionOf(score).IsValid);

    [Fact]
    public void The_members_of_a_cell_are_those_with_scores_in_its_range()
    {
        Random random = new(2);
        for (int i = 0; i < RandomPositions; i++)
        {
            int step = random.Next(1, GeoCell.MaxStep + 1);
            GeoPosition position = Draw(random);
            GeoCell cell = GeoCell.Of(position, step);
            GeoBounds bounds = cell.Bounds;
            ScoreRange scores = cell.Scores;
            double score = GeoHash.ScoreOf(position);
            Assert.InRange(score, scores.Min, scores.Max - 1);
            Assert.InRange(position.Longitude, bounds.West - 1e-9, bounds.East + 1e-9);
            Assert.InRange(position.Latitude, bounds.South - 1e-9, bounds.North + 1e-9);

            GeoCell other = cell.Neighbour(random.Next(-1, 2), random.Next(-1, 2));
            Assert.Equal(other == cell, scores == other.Scores);
            Assert.True(other == cell || score < other.Scores.Min || score >= other.Scores.Max);
        }
    }

    [Fact]
    public void Beyond_an_edge_the_map_goes_on_at_the_other()
    {
        GeoCell corner = new(0, 0, 3);
        Assert.Equal(new GeoCell(7, 7, 3), corner.Neighbour(-1, -1));
        Assert.Equal(corner, corner.Neighbour(-1, -1).Neighbour(1, 1));
        Assert.Equal(new GeoCell(1, 0, 3), corner.Neighbour(1, 0));
    }

    internal static GeoPosition Draw(Random random) => new(
        ((random.NextDouble() * 2) - 1) * GeoPosition.MaxLongitude, ((random.NextDouble() * 2) - 1) * GeoPosition.MaxLatitude);
}
