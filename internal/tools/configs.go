package tools

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/ottla/ottla/internal/tools/options"
)

// runConfigs is kafka-configs.
func runConfigs(inv *invocation) int {
	err := inv.configs()
	if exit, ok := inv.finish(err); ok {
		return exit
	}
	if messageAlone(err) {
		inv.complain(err.Error())
		return 1
	}
	inv.complain("Error while executing config command with args '" + strings.Join(inv.args, " ") + "'")
	inv.trace("", err)
	return 1
}

// messageAlone tells the failures that Kafka's tool reports without their names and without the command line.
func messageAlone(err error) bool {
	switch e := err.(type) {
	case *options.Error:
		return true
	case *exception:
		return e.class == "java.lang.IllegalArgumentException" || strings.HasSuffix(e.class, ".InvalidConfigurationException")
	}
	return false
}

func (inv *invocation) configs() error {
	o := newConfigsOptions()
	var err error
	if o.Set, err = o.parser.Parse(inv.args); err != nil {
		return err
	}
	if err := inv.helpOrVersion(o.parser, o.Set, configsPurpose); err != nil {
		return err
	}
	selected, err := o.selection()
	if err != nil {
		return err
	}
	if err := o.check(selected); err != nil {
		return err
	}
	r := o.Reader()
	file, brokers, controllers := r.String(o.commandConfig), r.String(o.bootstrap), r.String(o.controller)
	if r.Err() != nil {
		return r.Err()
	}
	s, err := loadSettings(file)
	if err != nil {
		return err
	}
	a, err := inv.newAdminOfEither(s, brokers, controllers, "")
	if err != nil {
		return err
	}
	defer a.close()
	t := &configsTool{inv, o, a, selected}
	if o.Has(o.alter) {
		return t.alter()
	}
	return t.describe()
}

// configsTool is one run of kafka-configs with a client.
type configsTool struct {
	*invocation
	o     *configsOptions
	admin *admin
	entitySelection
}

// singular is how the tool's messages call a thing: topics without the s.
func singular(kind string) string { return kind[:len(kind)-1] }

// changes are the configs to set and those to delete.
func (t *configsTool) changes() (add map[string]string, remove []string, err error) {
	r := t.o.Reader()
	text, file := r.String(t.o.add), r.String(t.o.addFile)
	if r.Err() != nil {
		return nil, nil, r.Err()
	}
	add = make(map[string]string)
	if t.o.Has(t.o.addFile) {
		if add, err = loadProperties(file); err != nil {
			return nil, nil, err
		}
	}
	if t.o.Has(t.o.add) {
		parsed, err := parseConfigList(text)
		if err != nil {
			return nil, nil, err
		}
		maps.Copy(add, parsed)
	}
	valid := regexp.MustCompile(`^[$a-zA-Z0-9._-]*$`)
	for _, name := range slices.Sorted(maps.Keys(add)) {
		if !valid.MatchString(name) {
			return nil, nil, illegalArgument("Invalid character found for config key: " + name)
		}
	}
	for _, name := range t.o.Values(t.o.delete) {
		remove = append(remove, strings.TrimSpace(name))
	}
	return add, remove, nil
}

// parseConfigList reads k1=v1,k2=[v1,v2]: commas and equals signs in brackets do not count.
func parseConfigList(text string) (map[string]string, error) {
	configs := make(map[string]string)
	for _, pair := range splitOutsideBrackets(text, ',') {
		parts := splitOutsideBrackets(pair, '=')
		if len(parts) != 2 {
			return nil, illegalArgument(`requirement failed: Invalid entity config: all configs to be added must be in the format "key=val" ` +
				`or  "key=[val1,val2]" to group values which contain commas.`)
		}
		value := strings.NewReplacer("[", "", "]", "").Replace(parts[1])
		configs[strings.TrimSpace(parts[0])] = strings.TrimSpace(value)
	}
	return configs, nil
}

// splitOutsideBrackets splits at separators unless a ']' comes next before a '['.
func splitOutsideBrackets(text string, separator byte) []string {
	var parts []string
	start := 0
	for i := range len(text) {
		if text[i] != separator {
			continue
		}
		if next := strings.IndexAny(text[i:], "[]"); next >= 0 && text[i+next] == ']' {
			continue
		}
		parts = append(parts, text[start:i])
		start = i + 1
	}
	return append(parts, text[start:])
}
