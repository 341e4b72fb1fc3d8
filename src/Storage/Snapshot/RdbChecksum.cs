using System.Buffers.Binary;

namespace KvServer.Storage;

/// <summary>Reads a file back and compares its checksum, without looking at what it holds.</summary>
public static class RdbChecksum
{
    private const int BufferBytes = 256 * 1024;

    /// <summary>Whether a file that has just been written says the same as its bytes.</summary>
    /// <param name="stream">Stands at the first byte; read to its end.</param>
    /// <returns>False when the checksum is wrong or the file too short for one. A checksum of 0 means there is none.
    /// </returns>
    /// <remarks>O(file). Any thread.</remarks>
    public static bool Matches(Stream stream)
    {
        byte[] buffer = GC.AllocateUninitializedArray<byte>(BufferBytes);
        ulong crc = 0;
        int held = 0;
        bool isLong = false;
        while (true)
        {
            int read = stream.Read(buffer, held, buffer.Length - held);
            if (read == 0)
            {
                break;
            }

            // The last eight bytes are the checksum itself: that many are held back.
            held += read;
            int summed = Math.Max(held - RdbFormat.ChecksumBytes, 0);
            crc = Crc64.Append(crc, buffer.AsSpan(0, summed));
            buffer.AsSpan(summed, held - summed).CopyTo(buffer);
            isLong |= summed > 0;
            held -= summed;
        }

        ulong stored = held == RdbFormat.ChecksumBytes ? BinaryPrimitives.ReadUInt64LittleEndian(buffer) : crc;
        return isLong && held == RdbFormat.ChecksumBytes && (stored == 0 || stored == crc);
    }
}
