package causes

import (
	"fmt"
	"strings"
	"time"
)

// Client is where a request comes from, as far as it is known. Its texts may be kept.
type Client struct {
	ID              string `json:"clientId,omitempty"`        // client.id
	Host            string `json:"host,omitempty"`            // the address, as Java's InetAddress prints it
	Software        string `json:"software,omitempty"`        // of ApiVersions; "" if the client did not tell (KIP-511)
	SoftwareVersion string `json:"softwareVersion,omitempty"` // likewise
}

// Texts are the client's texts.
func (c *Client) Texts() []*string {
	return []*string{&c.ID, &c.Host, &c.Software, &c.SoftwareVersion}
}

// String is the client in words: "client billing at 10.0.0.1, apache-kafka-java 4.3.1"; "" if nothing is known.
func (c Client) String() string {
	var about []string
	if c.ID != "" || c.Host != "" {
		client := strings.TrimSpace("client " + c.ID)
		if c.Host != "" {
			client += " at " + strings.TrimPrefix(c.Host, "/")
		}
		about = append(about, client)
	}
	if c.Software != "" {
		about = append(about, strings.TrimSpace(c.Software+" "+c.SoftwareVersion))
	}
	return strings.Join(about, ", ")
}

// Limit is a setting with its value, in words: milliseconds if its name ends in ".ms".
func Limit(setting string, value int64) string {
	text := fmt.Sprint(value)
	if strings.HasSuffix(setting, ".ms") {
		text = (time.Duration(value) * time.Millisecond).String()
	}
	return setting + " = " + text
}

// Because is a reason as the end of a sentence.
func Because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

// Again says how often something happened, if that was more than once, as the end of a sentence.
func (w *When) Again() string {
	if w.Times <= 1 {
		return ""
	}
	return fmt.Sprintf(" (%d times since %s)", w.Times, w.At.UTC().Format(time.RFC3339))
}
