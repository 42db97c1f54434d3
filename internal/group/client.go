package group

// Client is where a request comes from. Its texts may be kept.
type Client struct {
	ID              string // client.id
	Host            string // the address, as Java's InetAddress prints it
	Software        string // of ApiVersions; "" if the client did not tell (KIP-511)
	SoftwareVersion string
}

// as is the client when it speaks for a member; "" and nil are not known.
func (c Client) as(memberID string, instanceID *string) Who {
	return Who{
		MemberID: memberID, InstanceID: textOf(instanceID), ClientID: c.ID, Host: c.Host,
		Software: c.Software, SoftwareVersion: c.SoftwareVersion,
	}
}
