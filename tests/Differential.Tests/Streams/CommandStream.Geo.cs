using System.Globalization;

namespace KvServer.Differential.Tests.Streams;

/// <content>Commands on positions.</content>
public sealed partial class CommandStream
{
    private void GeoAdd()
    {
        Add("GEOADD", GeoKey());
        if (_source.Below(4) == 0)
        {
            AddSome("NX", "XX", "CH", "nx", "ch", "FOO");
        }

        for (int i = _source.Below(12) == 0 ? 60 : _source.Below(5); i >= 0; i--)
        {
            Add(Longitude());
            Add(Latitude());
            Add(GeoMember());
        }
    }

    private void GeoRead()
    {
        switch (_source.Below(4))
        {
            case 0:
                Add("GEODIST", GeoKey(), GeoMember(), GeoMember());
                if (_source.Below(2) == 0)
                {
                    Add(GeoUnit());
                }

                break;
            case 1: Add("GEOHASH", GeoKey(), GeoMember(), GeoMember()); break;
            case 2: Add("ZRANGE", GeoKey(), Bytes("0"), Bytes("-1"), Bytes("WITHSCORES")); break;
            default: Add("GEOPOS", GeoKey(), GeoMember(), GeoMember(), GeoMember()); break;
        }
    }

    private void GeoRadius()
    {
        string suffix = _source.Below(3) == 0 ? "_RO" : "";
        if (_source.Below(2) == 0)
        {
            Add("GEORADIUS" + suffix, GeoKey(), Longitude(), Latitude());
        }
        else
        {
            Add("GEORADIUSBYMEMBER" + suffix, GeoKey(), GeoMember());
        }

        Add(GeoSize());
        Add(GeoUnit());
        AddGeoOptions();
        if (_source.Below(6) == 0)
        {
            Add(_source.Word("STORE", "STOREDIST"));
            Add(GeoKey());
        }
    }

    private void GeoSearch()
    {
        bool stores = _source.Below(4) == 0;
        Add(stores ? "GEOSEARCHSTORE" : "GEOSEARCH");
        if (stores)
        {
            Add(GeoKey());
        }

        Add(GeoKey());
        if (_source.Below(2) == 0)
        {
            Add("FROMMEMBER", GeoMember());
        }
        else
        {
            Add("FROMLONLAT", Longitude(), Latitude());
        }

        if (_source.Below(2) == 0)
        {
            Add("BYRADIUS", GeoSize(), GeoUnit());
        }
        else
        {
            Add("BYBOX", GeoSize(), GeoSize(), GeoUnit());
        }

        if (stores)
        {
            AddSome("STOREDIST", "ASC", "DESC");
        }
        else
        {
            AddGeoOptions();
        }
    }

    private void AddGeoOptions()
    {
        if (_source.Below(2) == 0)
        {
            Add("COUNT", _source.Word("1", "2", "5", "10", "50", "0", "x"));
        }

        AddSome("ASC", "DESC", "WITHCOORD", "WITHDIST", "WITHHASH", "withdist", "ANY", _source.Below(20) == 0 ? "FOO" : "ASC");
    }

    private byte[] GeoKey() => _source.Below(20) == 0 ? _source.Key() : _source.Word("g1", "g2", "g3");

    private byte[] GeoMember() => Number(_source.Below(200));

    private byte[] GeoUnit() => _source.Below(40) == 0 ? _source.Word("x", "") : _source.Word("m", "km", "km", "KM", "ft", "mi");

    // From centimetres to more than the globe has.
    private byte[] GeoSize() => _source.Below(30) == 0
        ? _source.Word("x", "-1", "inf", "nan", "0", "1e300")
        : Number((1 + _source.Below(1000)) * Math.Pow(10, _source.Below(9) - 3));

    private byte[] Longitude() => Degrees(180, "180", "-180", "179.9999", "0", "-0", "181", "x");

    private byte[] Latitude() => Degrees(85.05112878, "85.05112878", "-85.05112878", "0", "66.1", "-80.5", "86", "nan");

    // Anywhere, close together so that searches find some, or at a border.
    private byte[] Degrees(double max, params string[] special) => _source.Below(40) switch
    {
        0 or 1 => _source.Word(special),
        < 20 => Number(_source.Below(1_000_000) / 1e5),
        _ => Number(((_source.Below(2_000_001) / 1e6) - 1) * max),
    };

    private static byte[] Number(double value) => Bytes(value.ToString("R", CultureInfo.InvariantCulture));
}
