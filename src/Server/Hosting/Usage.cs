namespace KvServer.Server.Hosting;

/// <summary>What <c>--help</c> prints.</summary>
internal static class Usage
{
    /// <summary>The text.</summary>
    public const string Text = """
        Usage: kvserver [/path/to/kvserver.conf] [--option value ...] [-]
               kvserver -                 (reads the configuration from standard input)
               kvserver -v or --version
               kvserver -h or --help
               kvserver --health [-h HOST] [-p PORT] [-s SOCKET] [-t SECONDS] [/path/to/kvserver.conf] [--option value ...]
                                          (asks a running server whether it serves; exit code 0 or 1)
               kvserver --check-rdb FILE  (looks for errors in an RDB file)
               kvserver --check-aof [--fix|--truncate-to-timestamp TIME] FILE|FOLDER  (the same for append-only files)

        Options are those of redis.conf. Each may also come from the environment: KVSERVER_PORT=7000.
        Not so user, rename-command and include, which are lines of a file or of the command line.
        KVSERVER_PASSWORD, or a file named by KVSERVER_PASSWORD_FILE, sets requirepass.
        The command line wins over the environment, and the environment over the file.

        Examples:
               kvserver
               kvserver /etc/kvserver.conf
               kvserver --port 7777 --maxmemory 1gb
               kvserver /etc/kvserver.conf --loglevel verbose
               echo 'port 7777' | kvserver -
        """;
}
