package tools

import (
	"fmt"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/format"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/tools/argparse"
	"github.com/ottla/ottla/internal/vfs"
)

// formatStorage is kafka-storage format.
func (inv *invocation) formatStorage(args *argparse.Parsed, c *config.Broker) error {
	o := format.Options{
		FS: vfs.Disk(), ClusterID: args.Text("--cluster-id"), Node: int32(c.Int(config.NodeID)),
		Directories: logDirectories(c), MetadataDirectory: c.MetadataDir(), Dynamic: len(c.Voters) == 0,
		IgnoreFormatted: args.Has("--ignore-formatted"), Print: inv.println, Now: time.Now(),
	}
	var err error
	if o.Features, err = featureLevels(args.Texts("--feature")); err != nil {
		return err
	}
	if o.Release, err = releaseOf(args.Text("--release-version"), o.Features); err != nil {
		return err
	}
	if o.Voters, err = firstVoters(args, c); err != nil {
		return err
	}
	for _, text := range args.Texts("--add-scram") {
		credential, err := format.ParseCredential(text)
		if err != nil {
			return err
		}
		o.Credentials = append(o.Credentials, credential)
	}
	return format.Run(o)
}

func featureLevels(texts []string) (map[string]int16, error) {
	levels := map[string]int16{}
	for _, text := range texts {
		name, level, err := parseFeature(text)
		if err != nil {
			return nil, &exception{class: "java.lang.RuntimeException", message: err.Error()}
		}
		if f, known := controller.FeatureNamed(name); known && name != kafka.MetadataVersionFeature && (level < f.Min || level > f.Max) {
			return nil, illegalArgument(fmt.Sprintf("No feature:%s with feature level %d", name, level))
		}
		levels[name] = level
	}
	return levels, nil
}

// releaseOf is the metadata.version that is asked for, the newest one if none is.
func releaseOf(release string, levels map[string]int16) (v controller.MetadataVersion, err error) {
	all := controller.MetadataVersions()
	level, given := levels[kafka.MetadataVersionFeature]
	switch {
	case release != "" && given:
		return v, &plainError{"Use --release-version instead of --feature " + kafka.MetadataVersionFeature + "=X to avoid ambiguity."}
	case release != "":
		if v, err = controller.ParseMetadataVersion(release); err != nil {
			return v, &plainError{err.Error()}
		}
		return v, nil
	case given:
		v, found := controller.MetadataVersionAt(level)
		if !found {
			return v, illegalArgument("No MetadataVersion with feature level " + levelName("", level) + ". Valid feature levels are from " +
				levelName("", all[0].Level) + " to " + levelName("", all[len(all)-1].Level) + ".")
		}
		return v, nil
	}
	return all[len(all)-1], nil
}

// firstVoters are those that a quorum of dynamic voters begins with.
func firstVoters(args *argparse.Parsed, c *config.Broker) ([]quorum.Member, error) {
	standalone, given := args.Has("--standalone"), args.Has("--initial-controllers")
	isController := slices.Contains(c.List(config.ProcessRoles), "controller")
	listener := c.List(config.ControllerListenerNames)[0]
	switch {
	case len(c.Voters) > 0 && (standalone || given):
		return nil, &plainError{"You cannot specify controller.quorum.voters and format the node with --initial-controllers or --standalone. If you want to use dynamic quorum, please remove controller.quorum.voters and specify controller.quorum.bootstrap.servers instead."}
	case given:
		voters, err := format.ParseVoters(args.Text("--initial-controllers"), listener)
		if err != nil {
			return nil, illegalArgument(err.Error())
		}
		return voters, nil
	case standalone && !isController:
		return nil, &plainError{"You can only use --standalone on a controller."}
	case standalone:
		return standaloneVoter(c)
	case len(c.Voters) == 0 && isController && !args.Has("--no-initial-controllers"):
		return nil, &plainError{"Because controller.quorum.voters is not set on this controller, you must specify one of the following: --standalone, --initial-controllers, or --no-initial-controllers."}
	}
	return nil, nil
}

// standaloneVoter is this node alone.
func standaloneVoter(c *config.Broker) ([]quorum.Member, error) {
	listeners := append(slices.Clone(c.AdvertisedControllers), c.ControllerListeners...)
	if len(listeners) == 0 {
		return nil, &exception{class: "java.lang.RuntimeException", message: "No controller listeners found."}
	}
	host := listeners[0].Host
	if host == "" {
		host = "localhost"
	}
	return []quorum.Member{format.Voter(int32(c.Int(config.NodeID)), kafka.NewUUID(), listeners[0].Name, host, uint16(listeners[0].Port))}, nil
}
