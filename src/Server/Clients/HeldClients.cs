namespace KvServer.Server.Clients;

/// <summary>Clients whose next command must wait: it stays in its batch, and the connection goes on from there.</summary>
/// <remarks>Command loop only.</remarks>
internal sealed class HeldClients
{
    private readonly List<Client> _clients = [];

    /// <summary>Clients that wait now.</summary>
    public int Count => _clients.Count;

    /// <summary>Suspends a client.</summary>
    public void Hold(Client client)
    {
        client.Set(ClientFlags.Suspended, on: true);
        _clients.Add(client);
    }

    /// <summary>Lets all of them go on.</summary>
    public void ReleaseAll()
    {
        if (_clients.Count == 0)
        {
            return;
        }

        Client[] released = [.. _clients];
        _clients.Clear();
        foreach (Client client in released)
        {
            client.Set(ClientFlags.Suspended, on: false);
            client.Connection.Resume();
        }
    }

    /// <summary>Forgets a client that disconnects.</summary>
    public void Remove(Client client)
    {
        if (_clients.Count > 0)
        {
            _clients.Remove(client);
        }
    }
}
