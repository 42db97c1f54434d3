package group

import (
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

const (
	// regexRest is the least time between two resolutions of a group's regular expressions.
	regexRest = 10 * time.Second
	// maxRegexSize bounds what a regular expression becomes when its repetitions are written out: matching a topic takes
	// time in proportion.
	maxRegexSize = 20_000
)

// match looks at the member's regular expression, and has those of the group resolved if it is time to. What the expressions
// match comes later, in a step of its own: until then a new one matches nothing.
func (s *consumerStep) match() error {
	before, after := s.before.regex, s.member.regex
	due := false
	if before != after {
		s.matching = true
		if before != "" && s.g.regexMembers[before] == 1 {
			s.out.write(s.g.regexTombstone(before))
		}
		_, resolved := s.g.regexes[after]
		switch {
		case after == "":
			s.matched = true
		case s.g.regexMembers[after] > 0:
			s.matched = resolved
		default:
			if err := checkRegex(after); err != nil {
				return err
			}
			due = true
		}
	}
	wanted := s.g.regexesWith(s.before, s.member)
	if len(wanted) > 0 && s.g.resolutionDue(s.c, s.now, due, len(wanted)) {
		s.c.resolve(s.g.id, s.im, wanted, whoIs(causes.Client{ID: s.member.clientID, Host: s.member.clientHost}, s.member.id, s.member.instanceID))
	}
	return nil
}

// resolutionDue reports whether the group's regular expressions should be matched with the topics: because there are new ones
// among either, or because group.consumer.regex.refresh.interval.ms has passed. In no case while that is being done, or soon
// after (GroupMetadataManager.maybeUpdateRegularExpressions).
func (g *consumerGroup) resolutionDue(c *Coordinator, now time.Time, due bool, wanted int) bool {
	if c.resolving[g.id] || !due && len(g.regexMembers) == 0 {
		return false
	}
	if len(g.regexes) == 0 {
		return true
	}
	oldest, last := int64(1<<62), int64(0)
	for _, r := range g.regexes {
		oldest, last = min(oldest, r.version), max(last, r.at)
	}
	since := now.Sub(time.UnixMilli(last))
	if 0 <= since && since <= regexRest { // less than none: by the clock of another coordinator, which was ahead of ours
		return false
	}
	return due || wanted != len(g.regexes) || oldest < c.newTopics || since > c.options.Settings().RegexRefresh
}

// regexesWith lists the group's regular expressions with the member's new self in the place of the old one.
func (g *consumerGroup) regexesWith(before, after *consumerMember) []string {
	if before.regex == after.regex {
		return slices.Sorted(maps.Keys(g.regexMembers))
	}
	counts := maps.Clone(g.regexMembers)
	if before.regex != "" {
		add(counts, before.regex, -1)
	}
	if after.regex != "" {
		add(counts, after.regex, 1)
	}
	return slices.Sorted(maps.Keys(counts))
}

// topicNamesWith is topicNames with the member's new self in the place of the old one.
func (g *consumerGroup) topicNamesWith(before, after *consumerMember) []string {
	if slices.Equal(before.topics, after.topics) && before.regex == after.regex {
		return g.topicNames()
	}
	names, matched := maps.Clone(g.subscribers), g.matched
	for _, topic := range before.topics {
		add(names, topic, -1)
	}
	for _, topic := range after.topics {
		add(names, topic, 1)
	}
	if before.regex != "" && before.regex != after.regex && g.regexMembers[before.regex] == 1 {
		matched = maps.Clone(matched)
		for _, topic := range g.regexes[before.regex].topics {
			add(matched, topic, -1)
		}
	}
	return unionOf(names, matched)
}

func unionOf(a, b map[string]int) []string {
	names := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(names)
	return slices.Compact(names)
}

// checkRegex refuses what is no regular expression (RE2), or one that would take too long.
func checkRegex(text string) error {
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err == nil {
		if size := regexSize(parsed); size <= maxRegexSize {
			return nil
		}
		return kafka.Errorf(kafka.InvalidRegularExpression, "SubscribedTopicRegex `%s` is not a valid regular expression: its repetitions make it larger than %d steps.", causes.Shortened(text), maxRegexSize)
	}
	reason := err.Error()
	if e, ok := err.(*syntax.Error); ok {
		reason = e.Code.String()
	}
	return kafka.Errorf(kafka.InvalidRegularExpression, "SubscribedTopicRegex `%s` is not a valid regular expression: %s.", text, reason)
}

// regexSize estimates how many steps an expression compiles to; it stops counting far above the limit.
func regexSize(re *syntax.Regexp) int {
	size := 1 + len(re.Rune)
	for _, sub := range re.Sub {
		if size += regexSize(sub); size > maxRegexSize {
			return size
		}
	}
	if re.Op == syntax.OpRepeat {
		size *= max(re.Min, re.Max, 1)
	}
	return size
}

// resolve has the regular expressions of a group matched with all topics beside the steps, and then keeps what was found.
func (c *Coordinator) resolve(groupID string, im *metadata.Image, regexes []string, who Who) {
	c.resolving[groupID] = true
	c.options.Background(func() {
		found := matchTopics(im, regexes)
		c.inStep(func(out *outcome, now time.Time) {
			delete(c.resolving, groupID)
			if g := c.consumer(groupID); g != nil {
				c.keepResolved(out, now, g, found, im.Offset(), who)
			}
		})
	})
}

// matchTopics lists for each regular expression the topics that it matches as a whole, in order.
func matchTopics(im *metadata.Image, regexes []string) map[string][]string {
	found := make(map[string][]string, len(regexes))
	compiled := make(map[string]*regexp.Regexp, len(regexes))
	for _, text := range regexes {
		if checkRegex(text) != nil {
			continue // from a log that somebody else wrote
		}
		found[text] = nil
		compiled[text] = regexp.MustCompile(`\A(?:` + text + `)\z`)
	}
	for topic := range im.Topics() {
		for text, re := range compiled {
			if re.MatchString(topic.Name) {
				found[text] = append(found[text], topic.Name)
			}
		}
	}
	return found
}

// keepResolved writes what the group's regular expressions match now, and begins a new epoch if that is not what they matched
// before.
func (c *Coordinator) keepResolved(out *outcome, now time.Time, g *consumerGroup, found map[string][]string, version int64, who Who) {
	matched := maps.Clone(g.matched)
	bump, reason := false, ""
	for _, regex := range slices.Sorted(maps.Keys(found)) {
		if g.regexMembers[regex] == 0 {
			continue
		}
		if old := g.regexes[regex].topics; !slices.Equal(old, found[regex]) {
			bump, reason = true, regex
			for _, topic := range old {
				add(matched, topic, -1)
			}
			for _, topic := range found[regex] {
				add(matched, topic, 1)
			}
		}
		out.write(g.regexRecord(regex, resolvedRegex{topics: found[regex], version: version, at: now.UnixMilli()}))
	}
	if len(out.Records) == 0 {
		return
	}
	im := c.look()
	hash := g.hashes.sum(im, unionOf(g.subscribers, matched))
	if bump || hash != g.hash {
		out.write(g.epochRecord(g.epoch+1, hash))
		c.tell(now, g.id, g.epoch, Cause{Kind: RegexResolved, Member: who, Reason: reason, Rebalance: true, Epoch: g.epoch, Next: g.epoch + 1})
	}
}
