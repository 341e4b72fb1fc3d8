using KvServer.Server.Commands.Geo;

namespace KvServer.Server.Tests.Commands.Geo;

public sealed class GeoSearchAreaTests
{
    [Fact]
    public void Positions_in_a_shape_away_from_the_edges_are_in_its_cells()
    {
        Random random = new(3);
        Span<GeoCell> cells = stackalloc GeoCell[GeoSearchArea.MaxCells];
        for (int i = 0; i < 3000; i++)
        {
            GeoShape shape = new()
            {
                Center = new GeoPosition(random.Next(-90, 90) + random.NextDouble(), random.Next(-60, 60) + random.NextDouble()),
                MetresPerUnit = 1000,
                IsBox = i % 2 == 0,
                Radius = Math.Pow(10, random.Next(-2, 3)) * random.NextDouble(),
                Width = Math.Pow(10, random.Next(-2, 3)) * random.NextDouble(),
                Height = Math.Pow(10, random.Next(-2, 3)) * random.NextDouble(),
            };
            GeoBounds bounds = shape.Bounds;
            int count = GeoSearchArea.Find(in shape, cells);
            Assert.Equal(count, cells[..count].ToArray().Distinct().Count());
            for (int j = 0; j < 20; j++)
            {
                GeoPosition position = new(
                    bounds.West + (random.NextDouble() * (bounds.East - bounds.West)),
                    bounds.South + (random.NextDouble() * (bounds.North - bounds.South)));
                double score = GeoHash.ScoreOf(position);
                if (shape.Contains(GeoHash.PositionOf(score), out _))
                {
                    Assert.Contains(cells[..count].ToArray(), cell => score >= cell.Scores.Min && score < cell.Scores.Max);
                }
            }
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1e-320)]
    [InlineData(1)]
    [InlineData(1e9)]
    [InlineData(double.PositiveInfinity)]
    public void Any_size_has_a_step(double reach)
    {
        foreach (double latitude in (double[])[0, 66, 67, 81, -85])
        {
            Assert.InRange(GeoSearchArea.StepFor(reach, latitude), 1, GeoCell.MaxStep);
        }
    }

    [Fact]
    public void A_small_circle_touches_few_cells_and_the_whole_globe_four()
    {
        GeoShape shape = new() { Center = new GeoPosition(10.1, 20.2), MetresPerUnit = 1, Radius = 10 };
        GeoCell[] cells = new GeoCell[GeoSearchArea.MaxCells];
        int count = GeoSearchArea.Find(in shape, cells);
        Assert.All(cells[..count], cell => Assert.True(cell.Step > 15));

        shape.Radius = double.PositiveInfinity;
        Assert.Equal(4, GeoSearchArea.Find(in shape, cells));
    }

    [Fact]
    public void Distances_are_those_of_a_sphere()
    {
        GeoPosition palermo = new(13.36138933897018433, 38.11555639549629859);
        GeoPosition catania = new(15.08726745843887329, 37.50266842333162032);
        Assert.Equal(166274.1516, GeoDistance.Between(palermo, catania), 1e-4);
        Assert.Equal(0, GeoDistance.Between(palermo, palermo));
        double half = Math.PI * GeoDistance.EarthRadius;
        Random random = new(4);
        for (int i = 0; i < 10_000; i++)
        {
            GeoPosition position = GeoHashTests.Draw(random);
            GeoPosition opposite = new(position.Longitude > 0 ? position.Longitude - 180 : position.Longitude + 180, -position.Latitude);
            Assert.Equal(half, GeoDistance.Between(position, opposite), 1.0);
            Assert.InRange(GeoDistance.Between(position, GeoHashTests.Draw(random)), 0, half);
        }
    }
}
