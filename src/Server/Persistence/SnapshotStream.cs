namespace KvServer.Server.Persistence;

/// <summary>A file being written that goes to disk every few megabytes (rdb-save-incremental-fsync).</summary>
internal sealed class SnapshotStream(FileStream file, bool writesOut) : Stream
{
    private const long BytesPerWriteOut = 4 * 1024 * 1024;

    private long _writtenOut;
    private long _length;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => _length;

    public override long Position
    {
        get => _length;
        set => throw new NotSupportedException();
    }

    public override void Flush()
    {
        // The caller forces the file to disk at the end.
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        file.Write(buffer);
        _length += buffer.Length;
        if (writesOut && _length - _writtenOut >= BytesPerWriteOut)
        {
            DiskSync.WriteOut(file, _writtenOut, _length - _writtenOut);
            _writtenOut = _length;
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
