using System.Text;
using KvServer.Server.Acl;

namespace KvServer.Server.Tests.Acl;

public sealed class PasswordHashTests
{
    // The digests are those of the standard (FIPS 180-4).
    [Theory]
    [InlineData("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")]
    public void A_password_is_kept_as_its_sha256(string password, string hex)
    {
        PasswordHash hash = PasswordHash.Of(Encoding.ASCII.GetBytes(password));
        Assert.Equal(hex, Encoding.ASCII.GetString(hash.ToHex()));
        PasswordHash? parsed = PasswordHash.Parse(Encoding.ASCII.GetBytes(hex));
        Assert.NotNull(parsed);
        Assert.True(hash.IsSame(parsed));
    }

    [Fact]
    public void Every_byte_of_the_hash_counts()
    {
        byte[] hex = PasswordHash.Of("x"u8).ToHex();
        for (int i = 0; i < hex.Length; i++)
        {
            byte[] other = [.. hex];
            other[i] = other[i] == (byte)'0' ? (byte)'1' : (byte)'0';
            Assert.False(PasswordHash.Of("x"u8).IsSame(PasswordHash.Parse(other)!), $"digit {i}");
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a")]
    [InlineData("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015adf")]
    [InlineData("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD")]
    [InlineData("ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    public void Anything_but_64_small_digits_is_no_hash(string hex) =>
        Assert.Null(PasswordHash.Parse(Encoding.ASCII.GetBytes(hex)));
}
