using System.Buffers;

namespace KvServer.Server.Acl;

/// <summary>The words of a user's rules before they are read: selectors may be spread over several.</summary>
internal static class AclWords
{
    private static readonly SearchValues<byte> Spaces = SearchValues.Create(" \t\n\r\v\f\0"u8);

    /// <summary>Joins the words of each selector to one rule, <c>(</c> to <c>)</c>.</summary>
    /// <param name="words">As they were given.</param>
    /// <param name="rules">One item a rule; those before an open parenthesis when the result is not -1.</param>
    /// <returns>The index of a word with an open parenthesis that nothing closes; -1 when there is none.</returns>
    public static int Join(IReadOnlyList<byte[]> words, out List<byte[]> rules)
    {
        rules = [];
        MemoryStream? selector = null;
        int openedAt = -1;
        for (int i = 0; i < words.Count; i++)
        {
            byte[] word = words[i];
            if (selector is not null)
            {
                selector.WriteByte((byte)' ');
                selector.Write(word);
                if (word is [.., (byte)')'])
                {
                    rules.Add(selector.ToArray());
                    selector = null;
                }
            }
            else if (word is [(byte)'(', ..] and not [.., (byte)')'])
            {
                selector = new MemoryStream();
                selector.Write(word);
                openedAt = i;
            }
            else
            {
                rules.Add(word);
            }
        }

        return selector is null ? -1 : openedAt;
    }

    /// <summary>Whether there is white space or a NUL: neither can stand in a line of an ACL file.</summary>
    public static bool HasSpace(ReadOnlySpan<byte> word) => word.ContainsAny(Spaces);
}
