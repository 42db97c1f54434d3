package tools

import (
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/tools/argparse"
	"github.com/ottla/ottla/internal/vfs"
)

// newController is the controller that a configuration file describes.
type newController struct {
	id        int32
	directory kafka.UUID
	endpoints []config.Listener
}

// addController is the command add-controller: its configuration file is that of the controller which gets a vote.
func (inv *invocation) addController(a *admin, s *settings, args *argparse.Parsed) error {
	c, err := describedController(s.values)
	if err != nil {
		return err
	}
	verb := "DRY RUN of adding"
	if !args.Has("--dry-run") {
		verb = "Added"
		rq := kmsg.NewPtrAddRaftVoterRequest()
		rq.TimeoutMillis, rq.VoterID, rq.VoterDirectoryID = int32(a.timeout.Milliseconds()), c.id, c.directory
		for _, e := range c.endpoints {
			rq.Listeners = append(rq.Listeners, kmsg.AddRaftVoterRequestListener{Name: e.Name, Host: e.Host, Port: uint16(e.Port)})
		}
		answer, err := a.call("addRaftVoter", rq)
		if err == nil {
			rs := answer.(*kmsg.AddRaftVoterResponse)
			err = responseError(rs.ErrorCode, rs.ErrorMessage)
		}
		if err != nil {
			return inFuture(err)
		}
	}
	texts := make([]string, len(c.endpoints))
	for i, e := range c.endpoints {
		texts[i] = e.Name + "://" + net.JoinHostPort(e.Host, strconv.Itoa(e.Port))
	}
	inv.printf("%s controller %d with directory id %s and endpoints: %s\n", verb, c.id, c.directory, strings.Join(texts, ", "))
	return nil
}

// removeController is the command remove-controller.
func (inv *invocation) removeController(a *admin, args *argparse.Parsed) error {
	id, text := int32(args.Number("--controller-id", 0)), args.Text("--controller-directory-id")
	if id < 0 {
		return &plainError{fmt.Sprintf("Invalid negative --controller-id: %d", id)}
	}
	directory, err := kafka.ParseUUID(text)
	if err != nil {
		return &plainError{"Failed to parse --controller-directory-id: " + uuidFault(text)}
	}
	verb := "DRY RUN of removing "
	if !args.Has("--dry-run") {
		verb = "Removed "
		rq := kmsg.NewPtrRemoveRaftVoterRequest()
		rq.VoterID, rq.VoterDirectoryID = id, directory
		answer, err := a.call("removeRaftVoter", rq)
		if err == nil {
			rs := answer.(*kmsg.RemoveRaftVoterResponse)
			err = responseError(rs.ErrorCode, rs.ErrorMessage)
		}
		if err != nil {
			return inFuture(err)
		}
	}
	inv.printf("%s KRaft controller %d with directory id %s\n", verb, id, directory)
	return nil
}

// maxUUIDText is the longest text that Kafka's Uuid.fromString looks at.
const maxUUIDText = 24

// uuidFault is what Kafka says of a text that is no id.
func uuidFault(text string) string {
	if len(text) > maxUUIDText {
		return fmt.Sprintf("Input string with prefix `%s` is too long to be decoded as a base64 UUID", text[:maxUUIDText])
	}
	for i := range len(text) {
		if c := text[i]; !strings.ContainsRune("-_=", rune(c)) && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return fmt.Sprintf("Illegal base64 character %x", c)
		}
	}
	return fmt.Sprintf("Input string `%s` decoded as %d bytes, which is not equal to the expected 16 bytes of a base64-encoded UUID", text, len(strings.TrimRight(text, "="))*6/8)
}

// describedController reads the controller's configuration, and its directory id from its meta.properties.
func describedController(values map[string]string) (newController, error) {
	c, err := controllerID(values)
	if err != nil {
		return c, err
	}
	folder, err := metadataFolder(values)
	if err != nil {
		return c, err
	}
	meta, found, err := commitlog.ReadMeta(vfs.Disk(), filepath.Clean(folder))
	switch {
	case err != nil || !found:
		return c, &plainError{"Unable to read meta.properties from " + folder}
	case meta.DirectoryID.IsZero():
		return c, &plainError{"No directory id found in " + folder}
	}
	c.directory = meta.DirectoryID
	c.endpoints, err = controllerEndpoints(values)
	return c, err
}

func controllerID(values map[string]string) (newController, error) {
	text, found := values["node.id"]
	if !found {
		return newController{}, &plainError{"node.id not found in configuration file. Is this a valid controller configuration file?"}
	}
	id, err := strconv.ParseInt(text, 10, 32)
	switch {
	case err != nil:
		return newController{}, &exception{class: "java.lang.NumberFormatException", message: fmt.Sprintf("For input string: %q", text)}
	case id < 0:
		return newController{}, &plainError{"node.id was negative in configuration file. Is this a valid controller configuration file?"}
	case !strings.Contains(values["process.roles"], "controller"):
		return newController{}, &plainError{"process.roles did not contain 'controller' in configuration file. Is this a valid controller configuration file?"}
	}
	return newController{id: int32(id)}, nil
}

func metadataFolder(values map[string]string) (string, error) {
	if folder, found := values["metadata.log.dir"]; found {
		return folder, nil
	}
	if dirs, found := values["log.dirs"]; found {
		first, _, _ := strings.Cut(strings.TrimSpace(dirs), ",")
		return first, nil
	}
	return "", &plainError{"Neither metadata.log.dir nor log.dirs were found. Is this a valid controller configuration file?"}
}

// controllerEndpoints are the controller's listeners as others reach them: advertised ones come before those that it opens.
func controllerEndpoints(values map[string]string) ([]config.Listener, error) {
	known := map[string]config.Listener{}
	for _, property := range []string{"listeners", "advertised.listeners"} {
		for entry := range strings.SplitSeq(values[property], ",") {
			if entry = strings.TrimSpace(entry); entry == "" {
				continue
			}
			l, err := config.ParseListener(entry)
			if err != nil {
				return nil, kafkaException(err.Error())
			}
			known[l.Name] = l
		}
	}
	names, found := values["controller.listener.names"]
	if !found {
		return nil, &plainError{"controller.listener.names was not found. Is this a valid controller configuration file?"}
	}
	var all []config.Listener
	for name := range strings.SplitSeq(names, ",") {
		name = strings.ToUpper(strings.TrimSpace(name))
		l, found := known[name]
		if !found {
			return nil, &plainError{"Cannot find information about controller listener name: " + name}
		}
		if l.Host == "" {
			l.Host = "localhost"
		}
		all = append(all, l)
	}
	return all, nil
}
