using System.Globalization;

namespace KvServer.Storage.Tests.Values;

public class PackedListTests
{
    /// <summary>A hash of 26 fields as redis-server 7.0.15 dumps it: every integer width, its limits, and text that
    /// only looks like a number.</summary>
    private const string ReferenceList =
        "e8000000340081610200018162027f01816302c08002816402dfff02816502cfff02816602f1001003816702d00002816802f1ffef03" +
        "816902f1ff7f03816a02f200800004816b02f1008003816c02f2ff7fff04816d02f2ffff7f04816e02f30000800005816f02f2000080" +
        "04817002f3ffff7fff05817102f3ffffff7f05817202f4000000800000000009817302f30000008005817402f4ffffff7fffffffff09" +
        "817502f4ffffffffffffff7f09817602f4000000000000008009817702933932323333373230333638353437373538303814817802" +
        "822d30038179028001817a0282303103ff";

    private static readonly string[] ReferenceValues =
    [
        "0", "127", "128", "-1", "4095", "4096", "-4096", "-4097", "32767", "32768", "-32768", "-32769", "8388607",
        "8388608", "-8388608", "-8388609", "2147483647", "2147483648", "-2147483648", "-2147483649",
        "9223372036854775807", "-9223372036854775808", "9223372036854775808", "-0", "", "01",
    ];

    [Fact]
    public void The_bytes_are_those_of_the_reference_server()
    {
        ListBuilder list = new();
        for (int i = 0; i < ReferenceValues.Length; i++)
        {
            list.Append([(byte)('a' + i)]);
            list.Append(System.Text.Encoding.UTF8.GetBytes(ReferenceValues[i]));
        }

        Assert.Equal(ReferenceList, Convert.ToHexStringLower(list.Bytes));
        Assert.True(PackedList.IsValid(list.Bytes));
        Assert.Equal(ReferenceValues, list.ToStrings().Where((_, i) => i % 2 == 1));
    }

    [Theory]
    [InlineData(63, "bf", "40")]
    [InlineData(64, "e040", "42")]
    [InlineData(125, "e07d", "7f")]
    [InlineData(126, "e07e", "0180")]
    [InlineData(4095, "efff", "2081")]
    [InlineData(4096, "f000100000", "2085")]
    [InlineData(16377, "f0f93f0000", "7ffe")]
    [InlineData(16378, "f0fa3f0000", "00ffff")]
    [InlineData(16379, "f0fb3f0000", "018080")]
    [InlineData(2097145, "f0f9ff1f00", "7ffffe")]
    [InlineData(2097146, "f0faff1f00", "00ffffff")]
    [InlineData(2097147, "f0fbff1f00", "01808080")]
    public void Strings_near_a_limit_are_encoded_as_by_the_reference_server(int length, string header, string backLength)
    {
        ListBuilder list = new();
        list.Append([.. Enumerable.Repeat((byte)'x', length)]);
        list.Append("tail"u8);
        ReadOnlySpan<byte> bytes = list.Bytes[PackedList.HeaderBytes..];

        Assert.Equal(header, Convert.ToHexStringLower(bytes[..(header.Length / 2)]));
        Assert.Equal(backLength, Convert.ToHexStringLower(
            bytes.Slice((header.Length / 2) + length, backLength.Length / 2)));
        Assert.True(PackedList.IsValid(list.Bytes));
        Assert.Equal(PackedList.HeaderBytes, list.View.Previous(list.View.Last));
        Assert.Equal(length, list.View[PackedList.HeaderBytes].Bytes.Length);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void It_behaves_as_a_list_under_random_changes(int seed)
    {
        Random random = new(seed);
        ListBuilder list = new();
        List<string> model = [];
        for (int step = 0; step < 3000; step++)
        {
            int at = random.Next(model.Count + 1);
            string value = RandomValue(random);
            switch (random.Next(model.Count > 60 ? 9 : 6))
            {
                case <= 2:
                    list.Insert(at, System.Text.Encoding.Latin1.GetBytes(value));
                    model.Insert(at, value);
                    break;
                case 3 when at < model.Count:
                    list.Replace(at, System.Text.Encoding.Latin1.GetBytes(value));
                    model[at] = value;
                    break;
                case 4:
                    Assert.Equal(model.IndexOf(value), list.IndexOf(System.Text.Encoding.Latin1.GetBytes(value)));
                    break;
                case 5 when model.Count > 0:
                    string known = model[random.Next(model.Count)];
                    Assert.Equal(model.IndexOf(known), list.IndexOf(System.Text.Encoding.Latin1.GetBytes(known)));
                    break;
                case > 5 when at < model.Count:
                    int count = random.Next(1, 4);
                    list.RemoveRange(at, count);
                    model.RemoveRange(at, Math.Min(count, model.Count - at));
                    break;
                default:
                    break;
            }

            list.CheckGuards();
            Assert.True(PackedList.IsValid(list.Bytes), $"seed {seed}, step {step}");
            if (step % 16 == 0)
            {
                Assert.Equal(model, list.ToStrings());
                Assert.Equal(Enumerable.Reverse(model), list.ToStringsBackwards());
                Assert.Equal(model.Count, list.View.Count);
            }
        }

        Assert.Equal(model, list.ToStrings());
    }

    [Fact]
    public void Elements_are_found_by_index_from_both_ends()
    {
        ListBuilder list = new();
        for (int i = 0; i < 50; i++)
        {
            list.Append(System.Text.Encoding.UTF8.GetBytes(i % 3 == 0 ? $"v{i}" : $"{i * 977}"));
        }

        List<string> expected = list.ToStrings();
        for (int i = -52; i < 52; i++)
        {
            int position = list.View.PositionAt(i);
            bool exists = i is >= -50 and < 50;
            Assert.Equal(exists, position != PackedList.None);
            if (exists)
            {
                Assert.Equal(expected[i < 0 ? i + 50 : i], list.TextAt(position));
            }
        }
    }

    [Fact]
    public void Find_can_look_at_keys_only()
    {
        ListBuilder list = new();
        foreach (string text in (string[])["k1", "k2", "k2", "3", "3", "x"])
        {
            list.Append(System.Text.Encoding.UTF8.GetBytes(text));
        }

        PackedList view = list.View;
        Assert.Equal(view.PositionAt(2), view.Find(PackedElement.Of("k2"u8), view.First, skip: 1));
        Assert.Equal(view.PositionAt(4), view.Find(PackedElement.Of("3"u8), view.First, skip: 1));
        Assert.Equal(PackedList.None, view.Find(PackedElement.Of("x"u8), view.First, skip: 1));
    }

    [Fact]
    public void An_integer_value_is_not_the_empty_string()
    {
        ListBuilder list = new();
        list.Append(""u8);
        Assert.Equal(PackedList.None, list.View.Find(PackedElement.OfInteger(0), list.View.First));
    }

    [Fact]
    public void The_count_is_unknown_from_65535_elements_on_and_still_right()
    {
        ListBuilder list = new();
        for (int i = 0; i < 65534; i++)
        {
            list.Append("7"u8);
        }

        Assert.Equal("feff", Convert.ToHexStringLower(list.Bytes.Slice(4, 2)));
        list.Append("8"u8);
        list.Append("9"u8);
        Assert.Equal("ffff", Convert.ToHexStringLower(list.Bytes.Slice(4, 2)));
        Assert.Equal(65536, list.View.Count);
        Assert.True(PackedList.IsValid(list.Bytes));
        list.RemoveRange(0, 10);
        Assert.Equal(65526, list.View.Count);
        Assert.Equal("9", list.TextAt(list.View.PositionAt(-1)));
    }

    [Fact]
    public void Samples_do_not_repeat_and_every_element_is_as_likely()
    {
        ListBuilder list = new();
        for (int i = 0; i < 10; i++)
        {
            list.Append([(byte)('0' + i)]);
        }

        Random random = new(7);
        int[] seen = new int[10];
        for (int round = 0; round < 10_000; round++)
        {
            int position = list.View.First;
            int index = 0;
            int previous = -1;
            for (int remaining = 3; remaining > 0; remaining--)
            {
                list.View.NextSample(random, ref position, ref index, remaining);
                Assert.True(index > previous);
                previous = index;
                seen[(int)list.View[position].Integer]++;
                if (remaining > 1)
                {
                    position = list.View.Next(position);
                    index++;
                }
            }
        }

        Assert.All(seen, count => Assert.InRange(count, 2800, 3200));
    }

    [Fact]
    public void Truncated_lists_are_refused()
    {
        byte[] whole = Convert.FromHexString(ReferenceList);
        for (int length = 0; length < whole.Length; length++)
        {
            Assert.False(PackedList.IsValid(whole.AsSpan(0, length)));
            byte[] relabelled = whole[..length];
            if (length >= 4)
            {
                BitConverter.TryWriteBytes(relabelled, length);
                Assert.False(PackedList.IsValid(relabelled));
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void What_passes_validation_can_be_walked_and_changed_safely(int seed)
    {
        Random random = new(seed);
        byte[] whole = Convert.FromHexString(ReferenceList);
        int accepted = 0;
        for (int round = 0; round < 60_000; round++)
        {
            byte[] bytes = (byte[])whole.Clone();
            for (int flips = random.Next(1, 4); flips > 0; flips--)
            {
                bytes[random.Next(6, bytes.Length)] = (byte)random.Next(256);
            }

            if (!PackedList.IsValid(bytes))
            {
                continue;
            }

            accepted++;
            ListBuilder list = new(bytes);
            List<string> forward = list.ToStrings();
            Assert.Equal(list.View.Count, forward.Count);
            List<string> backward = list.ToStringsBackwards();
            backward.Reverse();
            Assert.Equal(forward, backward);
            foreach (string text in forward)
            {
                Assert.NotEqual(-1, list.IndexOf(System.Text.Encoding.Latin1.GetBytes(text)));
            }

            list.RemoveRange(random.Next(forward.Count), 2);
            list.CheckGuards();
        }

        Assert.True(accepted > 0);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Random_bytes_never_break_validation(int seed)
    {
        Random random = new(seed);
        for (int round = 0; round < 100_000; round++)
        {
            byte[] bytes = new byte[random.Next(0, 40)];
            random.NextBytes(bytes);
            if (bytes.Length >= 7)
            {
                BitConverter.TryWriteBytes(bytes, bytes.Length);
                bytes[4] = (byte)random.Next(6);
                bytes[5] = 0;
                bytes[^1] = 0xFF;
            }

            if (PackedList.IsValid(bytes))
            {
                ListBuilder list = new(bytes);
                Assert.Equal(list.View.Count, list.ToStrings().Count);
            }
        }
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-0")]
    [InlineData("+1")]
    [InlineData("01")]
    [InlineData("-01")]
    [InlineData(" 1")]
    [InlineData("1 ")]
    [InlineData("-")]
    [InlineData("")]
    [InlineData("1a")]
    [InlineData("9223372036854775807")]
    [InlineData("9223372036854775808")]
    [InlineData("-9223372036854775808")]
    [InlineData("-9223372036854775809")]
    [InlineData("18446744073709551616")]
    [InlineData("99999999999999999999")]
    public void Only_canonical_text_is_an_integer(string text)
    {
        bool canonical = long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value)
            && value.ToString(CultureInfo.InvariantCulture) == text;
        Assert.Equal(canonical, IntegerText.TryParse(System.Text.Encoding.UTF8.GetBytes(text), out long parsed));
        if (canonical)
        {
            Assert.Equal(value, parsed);
            Assert.Equal(text.Length, IntegerText.LengthOf(parsed));
            byte[] scratch = new byte[IntegerText.MaxLength];
            Assert.Equal(text, System.Text.Encoding.UTF8.GetString(scratch, 0, IntegerText.Format(parsed, scratch)));
        }
    }

    private static string RandomValue(Random random)
    {
        long wide = random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(64);
        return random.Next(8) switch
        {
            0 => "",
            1 => new string('s', random.Next(1, 64)),
            2 => new string('m', random.Next(60, 200)),
            3 => random.Next(20) == 0 ? new string('l', random.Next(4000, 20000)) : "l",
            4 => random.Next(-10, 10).ToString(CultureInfo.InvariantCulture),
            5 => $"0{random.Next(10)}",
            _ => wide.ToString(CultureInfo.InvariantCulture),
        };
    }

    /// <summary>A list in a managed block of exactly its size, between guard bytes.</summary>
    private sealed class ListBuilder
    {
        private const int Guard = 16;
        private byte[] _buffer;
        private int _length;

        public ListBuilder()
            : this(PackedList.Create(new byte[PackedList.EmptyBytes]).Bytes)
        {
        }

        public ListBuilder(ReadOnlySpan<byte> bytes)
        {
            _buffer = Guarded(bytes, bytes.Length);
            _length = bytes.Length;
        }

        public PackedList View => new(_buffer.AsSpan(Guard, _length));

        public ReadOnlySpan<byte> Bytes => View.Bytes;

        public void Append(ReadOnlySpan<byte> value)
        {
            PackedElement element = PackedElement.Of(value);
            Resize(_length + PackedList.SizeOf(element));
            View.Append(element);
        }

        public void Insert(int index, ReadOnlySpan<byte> value)
        {
            PackedElement element = PackedElement.Of(value);
            int position = View.PositionAt(index);
            Resize(_length + PackedList.SizeOf(element));
            View.Insert(position, element);
        }

        public void Replace(int index, ReadOnlySpan<byte> value)
        {
            PackedElement element = PackedElement.Of(value);
            int position = View.PositionAt(index);
            int newLength = _length + PackedList.SizeOf(element) - View.SizeAt(position);
            Resize(Math.Max(newLength, _length));
            View.Replace(position, element);
            Resize(newLength);
        }

        public void RemoveRange(int index, int count)
        {
            View.RemoveRange(View.PositionAt(index), count);
            Resize(View.LengthBytes);
        }

        public int IndexOf(ReadOnlySpan<byte> value)
        {
            int found = View.Find(PackedElement.Of(value), View.First);
            int index = 0;
            for (int position = View.First; position != PackedList.None; position = View.Next(position))
            {
                if (position == found)
                {
                    return index;
                }

                index++;
            }

            return -1;
        }

        public string TextAt(int position) =>
            System.Text.Encoding.Latin1.GetString(View[position].AsText(stackalloc byte[IntegerText.MaxLength]));

        public List<string> ToStrings()
        {
            List<string> all = [];
            for (int position = View.First; position != PackedList.None; position = View.Next(position))
            {
                all.Add(TextAt(position));
            }

            return all;
        }

        public List<string> ToStringsBackwards()
        {
            List<string> all = [];
            for (int position = View.Last; position != PackedList.None; position = View.Previous(position))
            {
                all.Add(TextAt(position));
            }

            return all;
        }

        public void CheckGuards()
        {
            Assert.True(_buffer.AsSpan(0, Guard).IndexOfAnyExcept((byte)0xA5) < 0);
            Assert.True(_buffer.AsSpan(Guard + _length).IndexOfAnyExcept((byte)0xA5) < 0);
        }

        private static byte[] Guarded(ReadOnlySpan<byte> bytes, int length)
        {
            byte[] buffer = new byte[length + (2 * Guard)];
            buffer.AsSpan().Fill(0xA5);
            bytes[..Math.Min(bytes.Length, length)].CopyTo(buffer.AsSpan(Guard));
            return buffer;
        }

        private void Resize(int length)
        {
            if (_length != length)
            {
                _buffer = Guarded(_buffer.AsSpan(Guard, _length), length);
                _length = length;
            }
        }
    }
}
