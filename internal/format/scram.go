package format

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"hash"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/wire"
)

// mechanism is a SCRAM mechanism (org.apache.kafka.common.security.scram.internals.ScramMechanism).
type mechanism struct {
	name  string
	kind  int8
	hash  func() hash.Hash
	bytes int // of the hash
}

func mechanisms() []mechanism {
	return []mechanism{
		{"SCRAM-SHA-256", 1, sha256.New, sha256.Size},
		{"SCRAM-SHA-512", 2, sha512.New, sha512.Size},
	}
}

// Bounds of the iterations of SCRAM.
const (
	minIterations = 4096
	maxIterations = 16384
)

// ParseCredential reads a user of --add-scram: SCRAM-SHA-256=[name=alice,password=secret], or with iterations, salt (base64)
// and saltedpassword (base64) instead of the password (RFC 5802, org.apache.kafka.metadata.storage.ScramParser).
func ParseCredential(text string) (*wire.UserScramCredentialRecord, error) {
	text = strings.TrimSpace(text)
	name, settings, found := strings.Cut(text, "=")
	if !found {
		return nil, errorf("Failed to find equals sign in SCRAM argument '%s'", text)
	}
	all := mechanisms()
	i := slices.IndexFunc(all, func(m mechanism) bool { return m.name == name })
	switch {
	case i < 0:
		return nil, errorf("The add-scram mechanism %s is not supported.", name)
	case !strings.HasPrefix(settings, "["):
		return nil, errorf("Expected configuration string to start with [")
	case !strings.HasSuffix(settings, "]"):
		return nil, errorf("Expected configuration string to end with ]")
	}
	c := credential{mechanism: all[i], settings: map[string]string{}}
	for one := range strings.SplitSeq(settings[1:len(settings)-1], ",") {
		key, value, found := strings.Cut(one, "=")
		if !found {
			return nil, errorf("No equals sign found in SCRAM component: %s", one)
		}
		if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
			value = value[1 : len(value)-1]
		}
		c.settings[key] = value
	}
	return c.record()
}

// credential is one user under one mechanism; settings that were used are taken out.
type credential struct {
	mechanism
	settings map[string]string
}

func (c *credential) take(key string) (value string, found bool) {
	value, found = c.settings[key]
	delete(c.settings, key)
	return value, found
}

func (c *credential) record() (*wire.UserScramCredentialRecord, error) {
	name, found := c.take("name")
	if !found {
		return nil, errorf("You must supply 'name' to add-scram")
	}
	salt, hasSalt, err := c.base64("salt", "salt")
	if err != nil {
		return nil, err
	}
	iterations := minIterations
	if text, given := c.take("iterations"); given {
		if iterations, err = strconv.Atoi(text); err != nil {
			return nil, errorf("Failed to parse iterations count: %s", text)
		}
	}
	password, hasPassword := c.take("password")
	salted, hasSalted, err := c.base64("saltedpassword", "saltedPassword")
	switch {
	case !hasPassword && !hasSalted:
		return nil, errorf("You must supply one of 'password' or 'saltedpassword' to add-scram")
	case !hasPassword && !hasSalt:
		return nil, errorf("You must supply 'salt' with 'saltedpassword' to add-scram")
	case !hasPassword && err != nil:
		return nil, err
	case len(c.settings) > 0:
		return nil, errorf("Unknown SCRAM configurations: %s", strings.Join(slices.Sorted(maps.Keys(c.settings)), ", "))
	case iterations < minIterations:
		return nil, errorf("The 'iterations' value must be >= %d for add-scram using %s", minIterations, c.constant())
	case iterations > maxIterations:
		return nil, errorf("The 'iterations' value must be <= %d for add-scram using %s", maxIterations, c.constant())
	}
	if !hasSalt {
		salt = make([]byte, 32)
		rand.Read(salt)
	}
	if hasPassword {
		if salted, err = pbkdf2.Key(c.hash, password, salt, iterations, c.bytes); err != nil {
			return nil, err
		}
	}
	stored := c.hash()
	stored.Write(c.sign(salted, "Client Key"))
	return &wire.UserScramCredentialRecord{
		Name: name, Mechanism: c.kind, Salt: salt, Iterations: int32(iterations),
		StoredKey: stored.Sum(nil), ServerKey: c.sign(salted, "Server Key"),
	}, nil
}

// constant is the mechanism as Java names it.
func (c *credential) constant() string { return strings.ReplaceAll(c.name, "-", "_") }

func (c *credential) sign(key []byte, text string) []byte {
	mac := hmac.New(c.hash, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func (c *credential) base64(key, said string) (value []byte, found bool, err error) {
	text, found := c.take(key)
	if !found {
		return nil, false, nil
	}
	if value, err = base64.StdEncoding.DecodeString(text); err != nil {
		return nil, true, errorf("Failed to decode given %s: %s", said, text)
	}
	return value, true, nil
}
