using System.Text;
using KvServer.Server.Clients;
using KvServer.Server.Commands;
using KvServer.Server.Config;
using KvServer.Server.Hosting;
using KvServer.Server.Persistence;
using KvServer.Server.PubSub;

namespace KvServer.Server.Acl;

/// <summary>Who may do what: the users, the checks of their calls, and the log of what was refused.</summary>
/// <remarks>Command loop only, or before anybody can connect. A client whose user may do everything has no
/// <see cref="ClientFlags.Restricted"/>, and nothing here is asked about its calls.</remarks>
internal sealed class AccessControl
{
    private const int MaxLoggedBytes = 1024;

    private readonly ServerState _server;
    private readonly AclCheck _check = new();
    private AclUsers _users;

    public AccessControl(ServerState server)
    {
        _server = server;
        Known = new KnownCommands(server.Commands);
        _users = new AclUsers(AclUser.CreateDefault(Known));
        SetRequiredPassword(server.Config.RequirePass);
        server.Configuration.UserLines = ConfigLines;
        server.Configuration.OnChanged("requirepass", config =>
        {
            SetRequiredPassword(config.RequirePass);
            return null;
        });
    }

    /// <summary>The commands and categories that rules may name, by their declared names.</summary>
    public KnownCommands Known { get; }

    /// <summary>The user of clients that have not said who they are.</summary>
    public AclUser Default => _users.Default;

    /// <summary>All users, in the order of their names.</summary>
    public IReadOnlyCollection<AclUser> Users => _users.All;

    /// <summary>What was refused lately, for ACL LOG.</summary>
    public AclLog Log { get; } = new();

    /// <summary>Whether clients must say who they are before anything else.</summary>
    public bool RequiresPassword => !Default.NeedsNoPassword || !Default.IsEnabled;

    private bool AllChannelsByDefault => _server.Config.AclPubSubDefault == AclPubSubDefault.AllChannels;

    /// <summary>The user of a name, or null.</summary>
    public AclUser? Find(ReadOnlySpan<byte> name) => _users.TryFind(name, out AclUser? user) ? user : null;

    /// <summary>Makes the password of <c>requirepass</c> the only one of the default user; empty: it needs none.</summary>
    public void SetRequiredPassword(byte[] password)
    {
        Default.Apply("resetpass"u8, AllChannelsByDefault);
        Default.Apply(password.Length == 0 ? "nopass"u8 : [(byte)'>', .. password], AllChannelsByDefault);
    }

    /// <summary>Makes a new client, or one that is as good as new, the default user's.</summary>
    public void EnterAsDefault(Client client)
    {
        Enter(client, Default);
        client.Authenticated = !RequiresPassword;
    }

    /// <summary>Lets a client in as a user if the password fits. A failure is logged.</summary>
    /// <returns>False when it does not.</returns>
    public bool TryEnter(CommandContext ctx, ReadOnlySpan<byte> name, ReadOnlySpan<byte> password)
    {
        // Before the name is looked up, so that the time taken does not tell which names there are.
        PasswordHash given = PasswordHash.Of(password);
        if (Find(name) is { } user && user.Admits(given))
        {
            Enter(ctx.Client, user);
            ctx.Client.Authenticated = true;
            return true;
        }

        _server.Statistics.AclAccessDeniedAuth++;
        AddToLog(ctx.Client, AclDenial.Auth, ctx.Client.Is(ClientFlags.Multi), ctx.Args[0], name);
        return false;
    }

    /// <summary>Whether a restricted client may make a call. A refusal is counted and logged.</summary>
    public AclDenial Check(CommandContext ctx, Command command, bool inTransaction)
    {
        if (ctx.Client.User is not { } user)
        {
            return AclDenial.None;
        }

        AclDenial denial = _check.Check(user, command, ctx.Args, out int argIndex);
        if (denial != AclDenial.None)
        {
            _server.Statistics.CountDenied(denial);
            ReadOnlySpan<byte> refused =
                denial == AclDenial.Command ? Encoding.UTF8.GetBytes(command.DisplayName) : ctx.Args[argIndex];
            AddToLog(ctx.Client, denial, inTransaction, refused, user.Name);
        }

        return denial;
    }

    /// <summary>Whether a user may make a call: ACL DRYRUN. Nothing is logged.</summary>
    public AclDenial Check(AclUser user, Command command, Resp.Arguments args, out int argIndex) =>
        _check.Check(user, command, args, out argIndex);

    /// <summary>Whether the running call may read keys that it does not name.</summary>
    public bool MayReadAnyKey(CommandContext ctx) =>
        !ctx.Client.Is(ClientFlags.Restricted)
        || ctx.Client.User is not { } user
        || _check.AllowsAnyKey(user, ctx.Command, ctx.Args, KeyRights.Read);

    /// <summary>Applies rules to a user, which is made if there is none; all of them or none.</summary>
    /// <returns>What is wrong with one of them, without a prefix; null when all went well.</returns>
    /// <remarks>Closes subscribers that have lost the right to what they are subscribed to. O(clients).</remarks>
    public byte[]? Change(byte[] name, IReadOnlyList<byte[]> words)
    {
        AclUser? present = Find(name);
        AclUser staged = Create(name);
        if (present is not null)
        {
            staged.CopyFrom(present);
        }

        int open = AclWords.Join(words, out List<byte[]> rules);
        if (open >= 0)
        {
            return CommandError.Format("Unmatched parenthesis in acl selector starting at '", words[open], "'.");
        }

        foreach ((byte[] rule, AclRuleError error) in staged.ApplyAll(rules, AllChannelsByDefault))
        {
            return CommandError.Format("Error in ACL SETUSER modifier '", rule, "': " + AclRuleErrors.TextOf(error));
        }

        if (present is null)
        {
            _users.Add(staged);
            return null;
        }

        CloseSubscribers(present, staged);
        present.CopyFrom(staged);
        Restrict(present);
        return null;
    }

    /// <summary>Removes a user, never the default one, and closes its clients. O(clients).</summary>
    /// <returns>False when there is none.</returns>
    public bool Delete(ReadOnlySpan<byte> name)
    {
        if (Find(name) is not { } user)
        {
            return false;
        }

        _users.Remove(user);
        CloseClientsOf(client => client.User == user);
        return true;
    }

    /// <summary>Makes the users those that the configuration declares, or those of the ACL file.</summary>
    /// <exception cref="StartupException">Something is wrong with them.</exception>
    public void LoadAtStart()
    {
        ServerConfig config = _server.Config;
        if (config.AclFile.Length > 0 && config.Users.Length > 0)
        {
            throw new StartupException(
                "Users are declared in the configuration and an 'aclfile' is set as well: that is an error waiting to happen. "
                + "Have them in one of both places");
        }

        if (config.AclFile.Length > 0)
        {
            if (LoadFile() is { } errors)
            {
                throw new StartupException("The server does not start because of errors in its ACLs: " + errors);
            }

            return;
        }

        foreach (string[] words in config.Users)
        {
            Declare(words, config.Users);
        }

        WarnOfUnusedPassword();
    }

    /// <summary>Reads the ACL file again, which replaces all users; clients of others than the default user are closed.</summary>
    /// <returns>What is wrong with the file, in which case nothing has changed; null when all went well.</returns>
    public string? LoadFile()
    {
        string path = _server.Config.AclFile;
        string text;
        try
        {
            text = ConfigText.FromBytes(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            string reason = e switch
            {
                FileNotFoundException or DirectoryNotFoundException => "No such file or directory",
                UnauthorizedAccessException => "Permission denied",
                _ => e.Message,
            };
            return $"Error loading ACLs, opening file '{path}': {reason}";
        }

        List<AclUser> users = AclFile.Read(text, path, Create, AllChannelsByDefault, out string errors);
        if (errors.Length > 0)
        {
            return errors + "WARNING: ACL errors detected, no change to the previously active ACL rules was performed";
        }

        if (users.Find(IsDefault) is { } declared)
        {
            Default.CopyFrom(declared);
        }
        else
        {
            // The file says nothing about it, so it is still the configuration that does.
            Default.CopyFrom(AclUser.CreateDefault(Known));
            SetRequiredPassword(_server.Config.RequirePass);
        }

        _users = new AclUsers(Default);
        foreach (AclUser user in users.Where(user => !IsDefault(user)))
        {
            _users.Add(user);
        }

        CloseClientsOf(client => client.User is { } user && user != Default);
        Restrict(Default);
        WarnOfUnusedPassword();
        return null;
    }

    /// <summary>Writes the users to the ACL file, which is replaced in one step. Blocks until it is on disk.</summary>
    /// <exception cref="IOException">It can't be written, and the old one is as it was; or the new one is there already, but its
    /// folder can't be forced to disk.</exception>
    /// <exception cref="UnauthorizedAccessException">It can't be written; the old one is as it was.</exception>
    public void SaveFile()
    {
        using MemoryStream text = new();
        foreach (AclUser user in Users)
        {
            text.Write(AclDescription.LineOf(user));
            text.WriteByte((byte)'\n');
        }

        FileReplacement.Write(Path.GetFullPath(_server.Config.AclFile), text.ToArray());
    }

    /// <summary>The lines CONFIG REWRITE puts into the file, none when users have a file of their own.</summary>
    public IReadOnlyList<string> ConfigLines() => _server.Config.AclFile.Length > 0
        ? []
        : [.. Users.Select(AclDescription.ConfigLineOf)];

    private static bool IsDefault(AclUser user) => user.Name.AsSpan().SequenceEqual("default"u8);

    private static void Enter(Client client, AclUser user)
    {
        client.User = user;
        client.Set(ClientFlags.Restricted, !user.IsUnrestricted);
    }

    private AclUser Create(byte[] name) => new(name, Known, AllChannelsByDefault);

    private string? ApplyDeclared(AclUser user, IReadOnlyList<byte[]> words)
    {
        if (AclWords.Join(words, out List<byte[]> rules) >= 0)
        {
            return AclRuleErrors.OpenSelector;
        }

        foreach ((byte[] rule, AclRuleError error) in user.ApplyAll(rules, AllChannelsByDefault))
        {
            return AclRuleErrors.TextOf(rule, error);
        }

        return null;
    }

    // A line of the configuration; the default user may have one, which replaces all it had.
    private void Declare(string[] words, string[][] all)
    {
        byte[] name = ConfigText.ToBytes(words[0]);
        AclUser user = Create(name);
        if (IsDefault(user))
        {
            user.Apply("reset"u8, AllChannelsByDefault);
        }

        List<byte[]> rules = [.. words.Skip(1).Select(ConfigText.ToBytes)];
        string? error = AclWords.HasSpace(name) ? "Usernames can't contain spaces or null characters"
            : all.Count(other => other[0] == words[0]) > 1 ? AclRuleErrors.TextOf(AclRuleError.DuplicateUser)
            : ApplyDeclared(user, rules);
        if (error is not null)
        {
            throw new StartupException($"Error in the declaration of user '{words[0]}': {error}");
        }

        if (IsDefault(user))
        {
            Default.CopyFrom(user);
        }
        else
        {
            _users.Add(user);
        }

        if (!user.IsEnabled)
        {
            Acl.Log.UserIsOff(_server.Log, user.DisplayName);
        }
    }

    // The default user's own declaration counts, and the password that CONFIG GET shows does not.
    private void WarnOfUnusedPassword()
    {
        if (_server.Config.RequirePass.Length > 0 && Default.NeedsNoPassword)
        {
            Acl.Log.PasswordIsUnused(_server.Log);
        }
    }

    private void Restrict(AclUser user)
    {
        foreach (Client client in _server.Clients.All.Where(client => client.User == user))
        {
            client.Set(ClientFlags.Restricted, !user.IsUnrestricted);
        }
    }

    private void CloseClientsOf(Func<Client, bool> isMeant)
    {
        foreach (Client client in _server.Clients.All.Where(isMeant).ToArray())
        {
            Enter(client, Default);
            client.Authenticated = false;
            Close(client, "its user was removed");
        }
    }

    private void Close(Client client, string reason)
    {
        if (client == _server.RunningClient)
        {
            client.CloseAfterReplies();
        }
        else
        {
            client.CloseNow(reason);
        }
    }

    private void CloseSubscribers(AclUser before, AclUser after)
    {
        if (after.Selectors.Any(selector => selector.AllChannels))
        {
            return;
        }

        List<byte[]> channels = [.. after.Selectors.SelectMany(selector => selector.Channels)];
        foreach (Client client in _server.Clients.All.Where(client => client.User == before).ToArray())
        {
            if (client.Subscriptions is { } subscriptions && !Covers(channels, subscriptions))
            {
                if (client != _server.RunningClient)
                {
                    // Its connection ends later in the turn; nobody publishes to it until then.
                    _server.PubSub.Remove(client);
                }

                Close(client, "its user lost the right to a channel");
            }
        }
    }

    private static bool Covers(List<byte[]> channels, Subscriptions subscriptions)
    {
        foreach (SubscriptionKind kind in PubSubRegistry.Kinds)
        {
            foreach (byte[] name in subscriptions.NamesOf(kind))
            {
                if (!AclSelector.Covers(channels, name, kind == SubscriptionKind.Pattern))
                {
                    return false;
                }
            }
        }

        return true;
    }

    private void AddToLog(
        Client client, AclDenial reason, bool inTransaction, ReadOnlySpan<byte> refused, ReadOnlySpan<byte> username)
    {
        StringBuilder description = new();
        ClientDescription.Append(description, client, _server.Keyspace.NowMs);
        AclLogEntry entry = new(
            reason, inTransaction ? AclLogContext.Multi : AclLogContext.TopLevel, Shorten(refused), Shorten(username))
        {
            LastAtMs = _server.Keyspace.NowMs,
            Client = description.ToString(),
        };
        Log.Add(entry, _server.Config.AclLogMaxLen);
    }

    // Whoever is refused chooses these words; the log must not keep megabytes for them.
    private static byte[] Shorten(ReadOnlySpan<byte> word) => word[..Math.Min(word.Length, MaxLoggedBytes)].ToArray();
}
