namespace KvServer.Storage;

/// <summary>How a file is written.</summary>
/// <param name="Compress">Whether strings of more than 20 bytes are compressed where that pays (rdbcompression).</param>
/// <param name="Hints">What is noted about the use of keys when a live entry is written.</param>
public readonly record struct RdbWriterOptions(bool Compress, AccessHintKind Hints = AccessHintKind.None);
