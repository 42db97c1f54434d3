package tools

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// why is all that is known of a group.
type why struct {
	group     string
	described *describedGroup // nil if there is no such group
	causes    *whyCauses      // nil if the broker did not tell
	silent    string          // why it did not
	offsets   []whyOffset
	shown     int // how many events are told
	whyClock
}

// whyCauses is the answer of /api/v1/groups/GROUP/why.
type whyCauses struct {
	Type     string      `json:"type"`
	State    string      `json:"state"`
	Epoch    int32       `json:"epoch"`
	Protocol string      `json:"protocol"`
	Since    time.Time   `json:"since"`
	Members  []whyMember `json:"members"`
	Until    time.Time   `json:"until"`
	Loaded   time.Time   `json:"loaded"`
	Causes   []whyCause  `json:"causes"`
	Dropped  int         `json:"dropped"`
}

type whyMember struct {
	whyWho
	SessionTimeout   int64 `json:"sessionTimeoutMs"`
	RebalanceTimeout int64 `json:"rebalanceTimeoutMs"`
	Awaited          bool  `json:"awaited"`
}

type whyWho struct {
	MemberID        string `json:"memberId"`
	InstanceID      string `json:"instanceId"`
	ClientID        string `json:"clientId"`
	Host            string `json:"host"`
	Software        string `json:"software"`
	SoftwareVersion string `json:"softwareVersion"`
}

type whyCause struct {
	Kind      string    `json:"kind"`
	Member    whyWho    `json:"member"`
	Rebalance bool      `json:"rebalance"`
	Epoch     int32     `json:"epoch"`
	Next      int32     `json:"next"`
	Took      int64     `json:"tookMs"`
	Setting   string    `json:"setting"`
	Limit     int64     `json:"limit"`
	Value     int64     `json:"value"`
	Error     string    `json:"error"`
	At        time.Time `json:"at"`
	Last      time.Time `json:"last"`
	Times     int       `json:"times"`
	Text      string    `json:"text"`
}

// text says it all in plain words.
func (w *why) text() string {
	page := whyPage{head: []string{w.headline(), w.lag()}, advice: w.advice()}
	page.section("Members:", w.members())
	page.section(w.history())
	return page.text()
}

// headline is the group in a sentence.
func (w *why) headline() string {
	if w.described == nil {
		return fmt.Sprintf("Group %s does not exist any more.", w.group)
	}
	kind, epoch := "classic", ""
	if w.described.epoch != nil {
		kind, epoch = "consumer or streams", fmt.Sprintf(", epoch %d", *w.described.epoch)
	}
	state, since := w.described.state, ""
	if c := w.causes; c != nil {
		kind, state = cmp.Or(c.Type, kind), cmp.Or(c.State, state)
		if !c.Since.IsZero() {
			since = fmt.Sprintf(" since %s (%s)", w.time(c.Since), w.ago(c.Since))
		}
		if kind == "classic" && c.Epoch > 0 {
			epoch = fmt.Sprintf(", generation %d", c.Epoch)
		}
	}
	assignor := ""
	if w.described.assignor != "" {
		assignor = ", assignor " + w.described.assignor
	}
	return fmt.Sprintf("Group %s: %s, %s%s%s%s; %s.", w.group, kind, state, since, epoch, assignor, count(len(w.described.members), "member"))
}

// lag says how far behind the group is.
func (w *why) lag() string {
	total, behind, known := int64(0), 0, 0
	var worst whyOffset
	for _, o := range w.offsets {
		if o.lag() < 0 {
			continue
		}
		known++
		total += o.lag()
		if o.lag() > 0 {
			behind++
		}
		if o.lag() > worst.lag() {
			worst = o
		}
	}
	switch {
	case known == 0:
		return "It has no committed offsets."
	case total == 0:
		return fmt.Sprintf("It is not behind: it has committed all there is in %s.", count(known, "partition"))
	case known == 1:
		return fmt.Sprintf("It is %s behind in %s.", count(int(total), "record"), worst.partition)
	}
	return fmt.Sprintf("It is %s behind in %d of %s, most in %s (%d).", count(int(total), "record"), behind, count(known, "partition"), worst.partition, worst.lag())
}

// lag is how many records are not committed yet, -1 if that is not known.
func (o whyOffset) lag() int64 {
	if o.committed < 0 || o.end < 0 {
		return -1
	}
	return max(o.end-o.committed, 0)
}

// members lists who is in the group, with what.
func (w *why) members() []string {
	if w.described == nil || len(w.described.members) == 0 {
		return nil
	}
	rows := [][]string{{"MEMBER", "CLIENT", "HOST", "LIBRARY", "SESSION", "POLL", "PARTITIONS"}}
	for _, m := range w.described.members {
		row := []string{m.id, m.clientID, strings.TrimPrefix(m.host, "/"), missing, missing, missing, itoa(len(m.assigned))}
		if m.instance != "" {
			row[0] = m.instance + " (static)"
		}
		if told := w.told(m.id); told != nil {
			row[3] = cmp.Or(strings.TrimSpace(told.Software+" "+told.SoftwareVersion), missing)
			row[4], row[5] = limitText(told.SessionTimeout), limitText(told.RebalanceTimeout)
			if told.Awaited {
				row[6] += "  <- the rebalance waits for it"
			}
		}
		rows = append(rows, row)
	}
	widest := widths(rows, make([]int, len(rows[0])))
	var lines []string
	for _, row := range rows {
		lines = append(lines, padded(row, widest))
	}
	return lines
}

func limitText(ms int64) string {
	if ms <= 0 {
		return missing
	}
	return (time.Duration(ms) * time.Millisecond).String()
}

// told is what the broker says of a member, nil if it does not.
func (w *why) told(memberID string) *whyMember {
	if w.causes == nil {
		return nil
	}
	for i := range w.causes.Members {
		if w.causes.Members[i].MemberID == memberID {
			return &w.causes.Members[i]
		}
	}
	return nil
}

// history tells what happened, the latest first.
func (w *why) history() (title string, lines []string) {
	c := w.causes
	if c == nil {
		return "Why it rebalanced is not known:", []string{w.silent}
	}
	since := "since the broker began to coordinate it at " + w.time(c.Loaded)
	events := w.events()
	if len(events) == 0 {
		return "What happened:", []string{"nothing " + since + "."}
	}
	return "What happened, the latest first, " + since + ":", latest(events, w.shown, c.Dropped)
}

// events are the causes: those that led to the same generation as one, with a line for each.
func (w *why) events() (events [][]string) {
	causes := w.causes.Causes
	for begin := 0; begin < len(causes); {
		first, end := causes[begin], begin+1
		for first.Rebalance && end < len(causes) && causes[end].Rebalance && causes[end].Next == first.Next {
			end++
		}
		lines := []string{w.time(causes[end-1].Last) + "  " + w.outcome(causes[begin:end])}
		for _, cause := range causes[begin:end] {
			lines = append(lines, "    "+cause.Text)
		}
		if !first.Rebalance {
			lines = []string{w.time(first.Last) + "  " + first.Text}
		}
		events = append(events, lines)
		begin = end
	}
	slices.Reverse(events)
	return events
}

// outcome is what came of a rebalance.
func (w *why) outcome(causes []whyCause) string {
	name := "epoch"
	if w.causes.Type == "classic" {
		name = "generation"
	}
	first := causes[0]
	if first.Next == 0 {
		return fmt.Sprintf("rebalance after %s %d, not over yet", name, first.Epoch)
	}
	took := ""
	if first.Took > 0 {
		took = " in " + (time.Duration(first.Took) * time.Millisecond).String()
	}
	return fmt.Sprintf("rebalance from %s %d to %d%s", name, first.Epoch, first.Next, took)
}
