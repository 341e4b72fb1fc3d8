namespace KvServer.Server.Text;

/// <summary>The glob patterns of KEYS, SCAN, CONFIG GET and PSUBSCRIBE.</summary>
/// <remarks>
/// <c>*</c> any bytes, <c>?</c> one byte, <c>[abc]</c>, <c>[^a]</c>, <c>[a-z]</c>, and <c>\</c> takes the next byte
/// as it is. A class that is not closed ends with the pattern. Only the last <c>*</c> met is ever tried again,
/// which is enough for globs: time is at most pattern times text, whatever the pattern looks like.
/// </remarks>
public static class Glob
{
    /// <summary>Whether the pattern matches the whole text.</summary>
    /// <param name="pattern">The pattern; any bytes.</param>
    /// <param name="text">What is tested.</param>
    /// <param name="ignoreCase">Whether ASCII letters match in either case.</param>
    /// <remarks>O(pattern x text) at worst, allocates nothing, any thread. Like the reference server, empty text
    /// is matched by the empty pattern alone: callers treat a lone <c>*</c> as "all" beforehand.</remarks>
    public static bool IsMatch(ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> text, bool ignoreCase = false)
    {
        int p = 0;
        int s = 0;
        int starPattern = -1; // Just behind the last star, and the text that was tried after it.
        int starText = 0;
        while (true)
        {
            if (p < pattern.Length && s < text.Length)
            {
                if (pattern[p] == '*')
                {
                    p = SkipStars(pattern, p);
                    if (p == pattern.Length)
                    {
                        return true;
                    }

                    starPattern = p;
                    starText = s;
                    continue;
                }

                if (MatchesOne(pattern, ref p, text[s], ignoreCase))
                {
                    s++;
                    if (s == text.Length)
                    {
                        // A shorter rest behind the star can't match either, so this decides.
                        return SkipStars(pattern, p) == pattern.Length;
                    }

                    continue;
                }
            }
            else if (p == pattern.Length && s == text.Length)
            {
                return true;
            }

            if (starPattern < 0 || ++starText >= text.Length)
            {
                return false;
            }

            p = starPattern;
            s = starText;
        }
    }

    private static int SkipStars(ReadOnlySpan<byte> pattern, int p)
    {
        while (p < pattern.Length && pattern[p] == '*')
        {
            p++;
        }

        return p;
    }

    // Compares one byte with the element at p, and moves p behind that element.
    private static bool MatchesOne(ReadOnlySpan<byte> pattern, ref int p, byte value, bool ignoreCase)
    {
        switch (pattern[p])
        {
            case (byte)'?':
                p++;
                return true;
            case (byte)'[':
                return MatchesClass(pattern, ref p, Fold(value, ignoreCase), ignoreCase);
            case (byte)'\\' when p + 1 < pattern.Length:
                p++;
                break;
        }

        return Fold(pattern[p++], ignoreCase) == Fold(value, ignoreCase);
    }

    private static bool MatchesClass(ReadOnlySpan<byte> pattern, ref int p, byte value, bool ignoreCase)
    {
        p++;
        bool negated = p < pattern.Length && pattern[p] == '^';
        if (negated)
        {
            p++;
        }

        bool found = false;
        while (p < pattern.Length && pattern[p] != ']')
        {
            if (pattern[p] == '\\' && p + 1 < pattern.Length)
            {
                p++;
                found |= Fold(pattern[p], ignoreCase) == value;
            }
            else if (p + 2 < pattern.Length && pattern[p + 1] == '-')
            {
                byte first = Fold(pattern[p], ignoreCase);
                byte last = Fold(pattern[p + 2], ignoreCase);
                found |= value >= Math.Min(first, last) && value <= Math.Max(first, last);
                p += 2;
            }
            else
            {
                found |= Fold(pattern[p], ignoreCase) == value;
            }

            p++;
        }

        if (p < pattern.Length)
        {
            p++; // The closing bracket.
        }

        return found != negated;
    }

    private static byte Fold(byte value, bool ignoreCase) =>
        ignoreCase && char.IsAsciiLetterUpper((char)value) ? (byte)(value | 0x20) : value;
}
