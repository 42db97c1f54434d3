package tools

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// Exit codes of the storage commands.
const (
	storageFine  = 0
	storageLoses = 1 // there are findings that lose data
	storageUsage = 2 // the command line, or a directory that cannot be read or is in use
)

const storageUsageText = `usage:
  ottla storage verify [--json] [--workers N] DIR...
      reads the log directories of a stopped broker, changes nothing, and says what is wrong in them.
      Exit code 0: nothing that loses data; 1: something that does; 2: it could not be read, or a broker uses it.
  ottla storage repair [--yes] [--backup FOLDER] [--workers N] DIR
      shows what would be done to bring a damaged log directory back into order, asks, and does it. What it takes out of
      files goes to the backup folder (default: lost+NAME-TIME beside DIR). --yes does not ask.
      Exit code 0: repaired, or nothing to do; 1: something that loses data is left; 2: it was not done.
`

// storageOptions are the options of both commands.
type storageOptions struct {
	json, yes bool
	backup    string
	workers   int
	dirs      []string
}

// Storage is the command `ottla storage`: verify and repair log directories offline. It returns the exit code.
func Storage(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	verb := ""
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	switch verb {
	case "verify":
		o, err := parseStorage(args, "--json", "--workers")
		if err == nil && len(o.dirs) == 0 {
			err = fmt.Errorf("which log directory? (log.dirs)")
		}
		if err != nil {
			return storageMisused(stderr, "verify", err)
		}
		return (&storageVerify{o, stdout, stderr}).run(ctx)
	case "repair":
		o, err := parseStorage(args, "--yes", "--backup", "--workers")
		if err == nil && len(o.dirs) != 1 {
			err = fmt.Errorf("one log directory at a time, not %d", len(o.dirs))
		}
		if err != nil {
			return storageMisused(stderr, "repair", err)
		}
		return newStorageRepair(o, stdin, stdout, stderr).run(ctx)
	case "help", "--help", "-h":
		io.WriteString(stdout, storageUsageText)
		return storageFine
	}
	io.WriteString(stderr, storageUsageText)
	return storageUsage
}

func storageMisused(stderr io.Writer, verb string, err error) int {
	fmt.Fprintf(stderr, "ottla storage %s: %v\n\n%s", verb, err, storageUsageText)
	return storageUsage
}

// parseStorage reads a command line that may have the options that are named.
func parseStorage(args []string, allowed ...string) (o storageOptions, err error) {
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if !strings.HasPrefix(arg, "-") {
			o.dirs = append(o.dirs, arg)
			continue
		}
		name, value, inline := strings.Cut(arg, "=")
		if !strings.Contains(" "+strings.Join(allowed, " ")+" ", " "+name+" ") {
			return o, fmt.Errorf("there is no option %s", name)
		}
		if name == "--backup" || name == "--workers" {
			if !inline {
				if len(args) == 0 {
					return o, fmt.Errorf("%s needs a value", name)
				}
				value, args = args[0], args[1:]
			}
		}
		switch name {
		case "--json":
			o.json = true
		case "--yes":
			o.yes = true
		case "--backup":
			o.backup = value
		case "--workers":
			if _, err := fmt.Sscanf(value, "%d", &o.workers); err != nil || o.workers < 1 {
				return o, fmt.Errorf("--workers is a number from 1 on, not %q", value)
			}
		}
	}
	return o, nil
}
