package tools

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	scramSHA256        = 1
	scramSHA512        = 2
	leastIterations    = 4096 // of both mechanisms, and the default
	scramSaltBytes     = 24
	scramSHA256KeySize = 32
	scramSHA512KeySize = 64
)

func scramMechanism(name string) int8 {
	if name == "SCRAM-SHA-512" {
		return scramSHA512
	}
	return scramSHA256
}

// alterScram sets and deletes credentials of one user. The password goes to the broker salted and hashed (KIP-554).
func (t *configsTool) alterScram(add map[string]string, remove []string) error {
	user := t.names[0]
	rq := kmsg.NewPtrAlterUserSCRAMCredentialsRequest()
	for _, name := range remove {
		d := kmsg.NewAlterUserSCRAMCredentialsRequestDeletion()
		d.Name, d.Mechanism = user, scramMechanism(name)
		rq.Deletions = append(rq.Deletions, d)
	}
	for _, name := range slices.Sorted(maps.Keys(add)) {
		u, err := upsertion(user, name, add[name])
		if err != nil {
			return err
		}
		rq.Upsertions = append(rq.Upsertions, u)
	}
	response, err := request[*kmsg.AlterUserSCRAMCredentialsResponse](t.admin, "alterUserScramCredentials", rq)
	if err != nil {
		return inFuture(err)
	}
	for _, r := range response.Results {
		if err := responseError(r.ErrorCode, r.ErrorMessage); err != nil {
			return inFuture(err)
		}
	}
	return nil
}

// upsertion reads iterations=N,password=P.
func upsertion(user, mechanism, text string) (u kmsg.AlterUserSCRAMCredentialsRequestUpsertion, err error) {
	m := regexp.MustCompile(`^(?:iterations=(-?[0-9]*),)?password=(.*)$`).FindStringSubmatch(text)
	if m == nil {
		return u, illegalArgument("Invalid credential property " + strings.ReplaceAll(mechanism, "-", "_") + "=" + text)
	}
	iterations := leastIterations
	if m[1] != "" && m[1] != "-1" {
		if iterations, err = strconv.Atoi(m[1]); err != nil {
			return u, illegalArgument(`For input string: "` + m[1] + `"`)
		}
	}
	if iterations < leastIterations {
		return u, illegalArgument(fmt.Sprintf("Iterations %d is less than the minimum %d required for %s", iterations, leastIterations, mechanism))
	}
	u = kmsg.NewAlterUserSCRAMCredentialsRequestUpsertion()
	u.Name, u.Mechanism, u.Iterations = user, scramMechanism(mechanism), int32(iterations)
	u.Salt = make([]byte, scramSaltBytes)
	rand.Read(u.Salt)
	if u.Mechanism == scramSHA512 {
		u.SaltedPassword, err = pbkdf2.Key(sha512.New, m[2], u.Salt, iterations, scramSHA512KeySize)
	} else {
		u.SaltedPassword, err = pbkdf2.Key(sha256.New, m[2], u.Salt, iterations, scramSHA256KeySize)
	}
	return u, err
}

// describeScram prints the mechanisms of the selected users, of all users without a name.
func (t *configsTool) describeScram() error {
	rq := kmsg.NewPtrDescribeUserSCRAMCredentialsRequest()
	for _, name := range t.names {
		u := kmsg.NewDescribeUserSCRAMCredentialsRequestUser()
		u.Name = name
		rq.Users = append(rq.Users, u)
	}
	response, err := request[*kmsg.DescribeUserSCRAMCredentialsResponse](t.admin, "describeUserScramCredentials", rq)
	if err == nil {
		err = responseError(response.ErrorCode, response.ErrorMessage)
	}
	if err != nil {
		return inFuture(err)
	}
	var lines []string
	for _, r := range response.Results {
		err := responseError(r.ErrorCode, r.ErrorMessage)
		if hasCode(err, kerr.ResourceNotFound) {
			continue
		}
		if err != nil {
			lines = append(lines, "Error retrieving SCRAM credential configs for user-principal '"+r.User+"': "+javaString(err))
			continue
		}
		var texts []string
		for _, c := range r.CredentialInfos {
			name := "SCRAM-SHA-256"
			if c.Mechanism == scramSHA512 {
				name = "SCRAM-SHA-512"
			}
			texts = append(texts, fmt.Sprintf("%s=iterations=%d", name, c.Iterations))
		}
		lines = append(lines, "SCRAM credential configs for user-principal '"+r.User+"' are "+strings.Join(texts, ", "))
	}
	slices.Sort(lines)
	for _, line := range lines {
		t.println(line)
	}
	return nil
}
