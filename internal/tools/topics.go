package tools

import (
	"slices"
	"strings"
)

// runTopics is kafka-topics.
func runTopics(inv *invocation) int {
	o, err := inv.parseTopicsOptions()
	if exit, ok := inv.finish(err); ok && (err != nil) {
		return exit
	}
	var a *admin
	if err == nil {
		a, err = inv.topicsAdmin(o)
	}
	if err != nil {
		inv.complain(err.Error())
		inv.trace("", err)
		return 1
	}
	defer a.close()
	t := &topicsTool{invocation: inv, o: o, admin: a}
	if err := t.act(); err != nil {
		inv.println("Error while executing topic command : " + err.Error())
		return 1
	}
	return 0
}

func (inv *invocation) topicsAdmin(o *topicsOptions) (*admin, error) {
	r := o.Reader()
	file, bootstrap := r.String(o.commandConfig), r.String(o.bootstrap)
	if r.Err() != nil {
		return nil, r.Err()
	}
	s, err := loadSettings(file)
	if err != nil {
		return nil, err
	}
	return inv.newAdmin(s, bootstrap, "")
}

// topicsTool is one run of kafka-topics with a client.
type topicsTool struct {
	*invocation
	o     *topicsOptions
	admin *admin
}

func (t *topicsTool) act() error {
	switch {
	case t.o.Has(t.o.create):
		return t.create()
	case t.o.Has(t.o.alter):
		return t.alter()
	case t.o.Has(t.o.list):
		return t.list()
	case t.o.Has(t.o.describe):
		return t.describe()
	}
	return t.delete()
}

// matching returns the topics that --topic names, all without it; sorted.
func (t *topicsTool) matching() ([]string, error) {
	expression, err := t.o.Value(t.o.topic)
	if err != nil {
		return nil, err
	}
	topics, err := t.admin.listTopics()
	if err != nil {
		return nil, err
	}
	filter := topicFilter{}
	if t.o.Has(t.o.topic) {
		if filter, err = newTopicFilter(expression); err != nil {
			return nil, err
		}
	}
	var names []string
	for _, topic := range topics {
		if topic.internal && t.o.Has(t.o.excludeInternal) || filter.pattern != nil && !filter.allows(topic.name) {
			continue
		}
		names = append(names, topic.name)
	}
	return names, nil
}

// existing is matching that wants at least one topic, but with --if-exists.
func (t *topicsTool) existing() ([]string, error) {
	names, err := t.matching()
	if err != nil {
		return nil, err
	}
	if expression, _ := t.o.Value(t.o.topic); expression != "" && len(names) == 0 && !t.o.Has(t.o.ifExists) {
		return nil, illegalArgument("Topic '" + expression + "' does not exist as expected")
	}
	return names, nil
}

func (t *topicsTool) list() error {
	names, err := t.matching()
	if err != nil {
		return err
	}
	t.println(strings.Join(slices.Compact(names), "\n"))
	return nil
}
