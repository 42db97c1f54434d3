package tools

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/tools/argparse"
)

func featuresParser() *argparse.Parser {
	release := argparse.Argument{Name: "--release-version", Help: "all features as they are in this release, such as 4.3"}
	metadata := argparse.Argument{Name: "--metadata", Help: "deprecated: the level of metadata.version, such as 4.3-IV0"}
	dryRun := argparse.Argument{Name: "--dry-run", Help: "say what would happen, and change nothing", Kind: argparse.Flag}
	unsafe := argparse.Argument{Name: "--unsafe", Help: "even if metadata is lost", Kind: argparse.Flag}
	level := func(help string, required bool) argparse.Argument {
		return argparse.Argument{Name: "--feature", Help: help, Repeated: true, Required: required}
	}
	return &argparse.Parser{
		Program:     "kafka-features",
		Description: "Shows and changes the levels of the cluster's features.",
		Arguments:   append(bootstrapArguments(false), argparse.Argument{Name: "--command-config", Help: "properties file for the client"}),
		Commands: []argparse.Command{
			{Name: "describe", Help: "the features, what is supported and what is in force", Arguments: []argparse.Argument{
				{Name: "--node-id", Help: "the node to ask", Kind: argparse.Integer}}},
			{Name: "upgrade", Help: "raise levels", Arguments: []argparse.Argument{metadata, release, level("feature=level", false), dryRun}},
			{Name: "downgrade", Help: "lower levels", Arguments: []argparse.Argument{metadata, release, level("feature=level", false), unsafe, dryRun}},
			{Name: "disable", Help: "lower levels to 0", Arguments: []argparse.Argument{level("the feature", false), unsafe, dryRun}},
			{Name: "version-mapping", Help: "the levels that belong to a release", Arguments: []argparse.Argument{release}},
			{Name: "feature-dependencies", Help: "what levels need of other features", Arguments: []argparse.Argument{level("feature=level", true)}},
		},
	}
}

// runFeatures is kafka-features.
func runFeatures(inv *invocation) int {
	p := featuresParser()
	args, err := p.Parse(inv.args)
	if e, ok := errors.AsType[*argparse.Help](err); ok {
		inv.printf("%s", e.Text)
		return 0
	}
	if e, ok := errors.AsType[*argparse.Usage](err); ok {
		err = commandLineError(strings.TrimPrefix(e.Message, p.Program+": error: "))
	}
	if errors.Is(err, argparse.ErrVersion) {
		return inv.notParsed(err)
	}
	if err == nil {
		err = inv.features(args)
	}
	if exit, ok := inv.finish(err); ok {
		return exit
	}
	inv.complain(err.Error())
	return 1
}

func commandLineError(message string) error {
	return &plainError{"Command line error: " + message + ". Type --help for help."}
}

func (inv *invocation) features(args *argparse.Parsed) error {
	switch args.Command {
	case "version-mapping":
		return inv.printVersionMapping(args.Text("--release-version"))
	case "feature-dependencies":
		return inv.printDependencies(args.Texts("--feature"), featuresTexts)
	}
	s, err := loadSettings(args.Text("--command-config"))
	if err != nil {
		return err
	}
	if !args.Has(bootstrapServer) && !args.Has(bootstrapController) {
		return commandLineError("You must specify either --bootstrap-controller or --bootstrap-server.")
	}
	a, err := inv.newAdminOf(s, args)
	if err != nil {
		return err
	}
	defer a.close()
	if args.Command == "describe" {
		return inv.describeFeatures(a, args)
	}
	levels, err := inv.wantedLevels(args)
	if err != nil {
		return err
	}
	if len(levels) == 0 {
		return &plainError{"You must specify at least one feature to " + args.Command}
	}
	if _, nameless := levels[""]; nameless {
		return illegalArgument("Provided feature can not be empty.")
	}
	return inv.updateFeatures(a, args, levels)
}

// levelName is a level as operators know it.
func levelName(feature string, level int16) string {
	if feature != kafka.MetadataVersionFeature {
		return strconv.Itoa(int(level))
	}
	if v, ok := controller.MetadataVersionAt(level); ok {
		return v.String()
	}
	return fmt.Sprintf("UNKNOWN %d", level)
}

func (inv *invocation) describeFeatures(a *admin, args *argparse.Parsed) error {
	var response kmsg.Response
	var err error
	if args.Has("--node-id") {
		id := args.Number("--node-id", 0)
		if id < 0 {
			return illegalArgument(fmt.Sprintf("Invalid node id %d: must be non-negative.", id))
		}
		response, err = a.callBroker(int32(id), "describeFeatures", askVersions())
	} else {
		response, err = a.call("describeFeatures", askVersions())
	}
	if err != nil {
		return inFuture(err)
	}
	answer := response.(*kmsg.ApiVersionsResponse)
	if err := responseError(answer.ErrorCode, nil); err != nil {
		return inFuture(err)
	}
	finalized, epoch := map[string]int16{}, "-"
	for _, f := range answer.FinalizedFeatures {
		finalized[f.Name] = f.MaxVersionLevel
	}
	if answer.FinalizedFeaturesEpoch >= 0 {
		epoch = strconv.FormatInt(answer.FinalizedFeaturesEpoch, 10)
	}
	slices.SortFunc(answer.SupportedFeatures, func(a, b kmsg.ApiVersionsResponseSupportedFeature) int { return strings.Compare(a.Name, b.Name) })
	for _, f := range answer.SupportedFeatures {
		inv.printf("Feature: %-40s  SupportedMinVersion: %-15s  SupportedMaxVersion: %-15s  FinalizedVersionLevel: %-15s  Epoch: %s\n",
			f.Name, levelName(f.Name, f.MinVersion), levelName(f.Name, f.MaxVersion), levelName(f.Name, finalized[f.Name]), epoch)
	}
	return nil
}

// parseFeature reads feature=level.
func parseFeature(text string) (feature string, level int16, err error) {
	name, number, found := strings.Cut(text, "=")
	if !found {
		return "", 0, &plainError{"Can't parse feature=level string " + text + ": equals sign not found."}
	}
	name, number = strings.TrimSpace(name), strings.TrimSpace(number)
	n, err := strconv.ParseInt(number, 10, 16)
	if err != nil {
		return "", 0, &plainError{"Can't parse feature=level string " + text + ": unable to parse " + number + " as a short."}
	}
	return name, int16(n), nil
}

// wantedLevels are the levels that a command line asks for.
func (inv *invocation) wantedLevels(args *argparse.Parsed) (map[string]int16, error) {
	if args.Has("--release-version") {
		if args.Has("--metadata") || args.Has("--feature") {
			return nil, &plainError{"Can not specify `release-version` with other feature flags."}
		}
		return levelsOfRelease(args.Text("--release-version"), args.Command == "upgrade")
	}
	levels := map[string]int16{}
	if args.Has("--metadata") {
		inv.println(" `metadata` flag is deprecated and may be removed in a future release.")
		v, err := controller.ParseMetadataVersion(args.Text("--metadata"))
		if err != nil {
			return nil, err
		}
		levels[kafka.MetadataVersionFeature] = v.Level
	}
	for _, text := range args.Texts("--feature") {
		name, level := text, int16(0)
		if args.Command != "disable" {
			var err error
			if name, level, err = parseFeature(text); err != nil {
				return nil, err
			}
		}
		switch _, twice := levels[name]; {
		case level == 0 && args.Command == "upgrade":
			return nil, illegalArgument("The upgradeType flag should be set to SAFE_DOWNGRADE or UNSAFE_DOWNGRADE when the provided maxVersionLevel:0 is < 1.")
		case level < 0:
			return nil, illegalArgument("Cannot specify a negative version level.")
		case twice:
			return nil, &plainError{"Feature " + name + " was specified more than once."}
		}
		levels[name] = level
	}
	return levels, nil
}

// levelsOfRelease are the levels of all features in a release; an upgrade to 0 is none.
func levelsOfRelease(release string, upgrade bool) (map[string]int16, error) {
	v, err := controller.ParseMetadataVersion(release)
	if err != nil {
		return nil, err
	}
	levels := map[string]int16{}
	for _, f := range controller.Features() {
		if level := f.LevelAt(v.Level); level > 0 || !upgrade {
			levels[f.Name] = level
		}
	}
	return levels, nil
}

// Upgrade types of an UpdateFeatures request.
const (
	upgradeFeature = iota + 1
	downgradeSafely
	downgradeUnsafely
)

func (inv *invocation) updateFeatures(a *admin, args *argparse.Parsed, levels map[string]int16) error {
	rq := kmsg.NewPtrUpdateFeaturesRequest()
	rq.ValidateOnly = args.Has("--dry-run")
	names := slices.Sorted(maps.Keys(levels))
	for _, name := range names {
		u := kmsg.NewUpdateFeaturesRequestFeatureUpdate()
		u.Feature, u.MaxVersionLevel, u.UpgradeType = name, levels[name], upgradeFeature
		if args.Command != "upgrade" {
			u.UpgradeType = downgradeSafely
			if args.Has("--unsafe") {
				u.UpgradeType = downgradeUnsafely
			}
			u.AllowDowngrade = true
		}
		rq.FeatureUpdates = append(rq.FeatureUpdates, u)
	}
	response, err := request[*kmsg.UpdateFeaturesResponse](a, "updateFeatures", rq)
	failures := map[string]error{}
	if err == nil {
		err = responseError(response.ErrorCode, response.ErrorMessage)
	}
	for _, name := range names {
		failures[name] = err
	}
	if err == nil {
		for _, r := range response.Results {
			failures[r.Feature] = responseError(r.ErrorCode, r.ErrorMessage)
		}
	}
	return inv.printUpdates(args, names, levels, failures)
}

// printUpdates says for each feature what came of it.
func (inv *invocation) printUpdates(args *argparse.Parsed, names []string, levels map[string]int16, failures map[string]error) error {
	dry, failed := args.Has("--dry-run"), 0
	for _, name := range names {
		what, done := fmt.Sprintf("%s %s to %d", args.Command, name, levels[name]), fmt.Sprintf("%sd to %d.", args.Command, levels[name])
		if args.Command == "disable" {
			what, done = "disable "+name, "disabled."
		}
		switch err := failures[name]; {
		case err != nil && dry:
			inv.println("Can not " + what + ". " + err.Error())
			failed++
		case err != nil:
			inv.println("Could not " + what + ". " + err.Error())
			failed++
		case dry:
			inv.println(name + " can be " + done)
		default:
			inv.println(name + " was " + done)
		}
	}
	if failed > 0 {
		return &plainError{fmt.Sprintf("%d out of %d operation(s) failed.", failed, len(names))}
	}
	return nil
}
