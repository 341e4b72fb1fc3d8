using System.Runtime.CompilerServices;
using KvServer.Resp;
using KvServer.Server.Commands;

namespace KvServer.Server.Acl;

/// <summary>Decides whether a user may make a call.</summary>
/// <remarks>Command loop only: it keeps its lists between calls, so that a check allocates nothing.</remarks>
internal sealed class AclCheck
{
    private readonly List<KeyPlace> _keys = [];
    private readonly List<int> _positions = [];
    private bool _keysFound;

    /// <summary>Checks command, keys and channels against each selector until one allows them all.</summary>
    /// <param name="user">Whose rights.</param>
    /// <param name="command">The command; subcommands, not their container.</param>
    /// <param name="args">The call, of an arity that the command accepts.</param>
    /// <param name="argIndex">The argument that is the reason.</param>
    /// <returns>None when it is allowed; else the gravest reason, and of several the one furthest back.</returns>
    /// <remarks>O(selectors x keys) look-ups of <see cref="AclKeyTable"/>.</remarks>
    public AclDenial Check(AclUser user, Command command, Arguments args, out int argIndex)
    {
        AclDenial denial = AclDenial.Command;
        argIndex = 0;
        _keysFound = false;
        IReadOnlyList<AclSelector> selectors = user.Selectors;
        for (int i = 0; i < selectors.Count; i++)
        {
            AclDenial found = Check(selectors[i], command, args, out int index);
            if (found == AclDenial.None)
            {
                return AclDenial.None;
            }

            if (found > denial || (found == denial && index > argIndex))
            {
                denial = found;
                argIndex = index;
            }
        }

        return denial;
    }

    /// <summary>Whether a selector that allows the call lets every key be read: for what reads keys that it does not name.</summary>
    public bool AllowsAnyKey(AclUser user, Command command, Arguments args, KeyRights rights)
    {
        _keysFound = false;
        foreach (AclSelector selector in user.Selectors)
        {
            if (selector.AllowsAnyKey(rights) && Check(selector, command, args, out _) == AclDenial.None)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether it takes no more than a glance to see that a user may make a call, as with most: they name one key, and
    /// the root allows them. If not, <see cref="Check(AclUser, Command, Arguments, out int)"/> decides.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AllowsAtOnce(AclUser user, Command command, Arguments args) =>
        command.OneKeyDecides
        && user.Root.AllowsCommand(command.Id)
        && user.Root.AllowsKey(args[command.FirstKey], command.OneKeyRights(args));

    /// <summary>The rights that a use of a key needs.</summary>
    public static KeyRights RightsFor(KeyAccess access) =>
        ((access & KeyAccess.Access) != 0 ? KeyRights.Read : KeyRights.None)
        | ((access & (KeyAccess.Insert | KeyAccess.Delete | KeyAccess.Update)) != 0 ? KeyRights.Write : KeyRights.None);

    private AclDenial Check(AclSelector selector, Command command, Arguments args, out int argIndex)
    {
        argIndex = 0;
        if (!command.Is(CommandFlags.NoAuth) && !selector.AllowsCommand(command.Id, args))
        {
            return AclDenial.Command;
        }

        if (!selector.AllKeys && command.NamesKeys && !AllowsKeys(selector, command, args, ref argIndex))
        {
            return AclDenial.Key;
        }

        ChannelUse use = command.Declaration.Channels;
        return use == ChannelUse.None || selector.AllChannels || AllowsChannels(selector, use, args, ref argIndex)
            ? AclDenial.None
            : AclDenial.Channel;
    }

    // A call whose keys can't be told names none: its handler refuses it by the same rules.
    private bool AllowsKeys(AclSelector selector, Command command, Arguments args, ref int argIndex)
    {
        if (command.NamesOneKey)
        {
            argIndex = command.FirstKey; // Which the arity sees to.
            return selector.AllowsKey(args[argIndex], command.OneKeyRights(args));
        }

        if (!_keysFound)
        {
            if (!KeyPlace.TryFindAll(command, args, _keys, _positions))
            {
                _keys.Clear();
            }

            _keysFound = true;
        }

        foreach (KeyPlace key in _keys)
        {
            if ((key.Access & KeyAccess.NotKey) == 0 && !selector.AllowsKey(args[key.ArgIndex], RightsFor(key.Access)))
            {
                argIndex = key.ArgIndex;
                return false;
            }
        }

        return true;
    }

    private static bool AllowsChannels(AclSelector selector, ChannelUse use, Arguments args, ref int argIndex)
    {
        int end = use == ChannelUse.Publish ? 2 : args.Count;
        for (int i = 1; i < end; i++)
        {
            if (!selector.AllowsChannel(args[i], use == ChannelUse.SubscribeToPatterns))
            {
                argIndex = i;
                return false;
            }
        }

        return true;
    }
}
