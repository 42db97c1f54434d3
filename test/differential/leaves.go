package differential

import (
	"fmt"
	"maps"
	"net"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
)

// A Leaf is one field of an answer: where it is, what it says in terms that two brokers share, and in the broker's own.
type Leaf struct {
	Path, Value string
	Raw         string
}

// leaves takes an answer apart. The elements of an array are named by what identifies them (a topic's name, a partition's
// index); the order of such an array is a leaf of its own, "order".
func leaves(answer any, n *names) []Leaf {
	f := &flattener{names: n}
	f.value("", "", reflect.ValueOf(answer).Elem())
	return f.out
}

type flattener struct {
	names *names
	out   []Leaf
}

func (f *flattener) add(path, value, raw string) { f.out = append(f.out, Leaf{path, value, raw}) }

func (f *flattener) value(path, field string, v reflect.Value) {
	switch {
	case v.Type() == uuidType:
		id := v.Interface().(kafka.UUID)
		f.add(path, f.names.uuid(id), id.String())
	case v.Kind() == reflect.Pointer:
		if v.IsNil() {
			f.add(path, "null", "null")
			return
		}
		f.value(path, field, v.Elem())
	case v.Kind() == reflect.Struct:
		f.learn(v)
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			if name == "UnknownTags" && v.Field(i).Len() == 0 {
				continue
			}
			f.value(strings.TrimPrefix(path+"."+name, "."), name, v.Field(i))
		}
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8:
		f.bytes(path, field, v)
	case v.Kind() == reflect.Slice:
		f.slice(path, field, v)
	case v.Kind() == reflect.String:
		f.add(path, f.text(field, v.String()), v.String())
	case v.CanInt():
		f.add(path, f.number(field, v.Int()), strconv.FormatInt(v.Int(), 10))
	default:
		f.add(path, fmt.Sprint(v.Interface()), fmt.Sprint(v.Interface()))
	}
}

// learn notes which topic has which id where an answer has both.
func (f *flattener) learn(v reflect.Value) {
	id, name := v.FieldByName("TopicID"), v.FieldByName("Name")
	if !id.IsValid() || !name.IsValid() {
		return
	}
	if text := textOf(name); text != "" && !id.IsZero() {
		f.names.topic(id.Interface().(kafka.UUID).String(), text)
	}
}

func textOf(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	return fmt.Sprint(v.Interface())
}

func (f *flattener) bytes(path, field string, v reflect.Value) {
	switch {
	case v.IsNil():
		f.add(path, "null", "null")
	case field == "Records" && v.Len() > 0:
		f.value(path, "", reflect.ValueOf(takeApart(v.Bytes())))
	default:
		f.add(path, strconv.Quote(f.names.text(string(v.Bytes()))), string(v.Bytes()))
	}
}

func (f *flattener) slice(path, field string, v reflect.Value) {
	if v.IsNil() && strings.HasSuffix(field, "AbortedTransactions") {
		f.add(path, "null", "null")
		return
	}
	if v.Type().Elem().Kind() != reflect.Struct {
		f.add(path, fmt.Sprint(v.Interface()), fmt.Sprint(v.Interface()))
		return
	}
	f.add(path+".count", strconv.Itoa(v.Len()), strconv.Itoa(v.Len()))
	if v.Len() == 0 {
		return
	}
	labels, byName := f.labels(v)
	order := slices.Sorted(maps.Keys(labels))
	if byName {
		if v.Len() > 1 {
			inOrder := make([]string, v.Len())
			for label, i := range labels {
				inOrder[i] = label
			}
			f.add(path+".order", strings.Join(inOrder, " "), "")
		}
	} else {
		slices.SortFunc(order, func(a, b string) int { return labels[a] - labels[b] })
	}
	for _, label := range order {
		f.value(path+"["+label+"]", "", v.Index(labels[label]))
	}
}

// identities are fields that tell the elements of an array apart, the best first.
var identities = []string{"Name", "Topic", "TopicName", "GroupID", "Group", "ResourceName", "LogDirName", "Key", "TransactionalID", "PartitionIndex",
	"Partition", "Index", "ApiKey", "NodeID", "BrokerID"}

// labels names the elements of an array by their identity, and numbers those that have none.
func (f *flattener) labels(v reflect.Value) (labels map[string]int, byName bool) {
	labels = map[string]int{}
	nameless := 0
	for i := range v.Len() {
		label := f.identity(v.Index(i))
		if label == "" {
			label = strconv.Itoa(nameless)
			nameless++
		} else {
			byName = true
		}
		for again := label; ; again += "'" {
			if _, taken := labels[again]; !taken {
				labels[again] = i
				break
			}
		}
	}
	return labels, byName
}

func (f *flattener) identity(element reflect.Value) string {
	for _, name := range identities {
		field := element.FieldByName(name)
		if !field.IsValid() {
			continue
		}
		text := textOf(field)
		if text == "" || randomID.MatchString(text) {
			continue
		}
		if kind := element.FieldByName("ResourceType"); kind.IsValid() {
			text = fmt.Sprintf("%d %s", kind.Int(), text)
		}
		return text
	}
	if id := element.FieldByName("TopicID"); id.IsValid() {
		return f.names.ids[id.Interface().(kafka.UUID).String()]
	}
	if endpoint := element.FieldByName("UserEndpoint"); endpoint.IsValid() && endpoint.Kind() == reflect.Struct {
		return fmt.Sprintf("%s:%d", endpoint.FieldByName("Host"), endpoint.FieldByName("Port").Uint())
	}
	if id := element.FieldByName("MemberID"); id.IsValid() && id.String() != "" {
		return f.names.text(id.String())
	}
	return ""
}

func (f *flattener) text(field, s string) string {
	host, _, _ := net.SplitHostPort(f.names.addr)
	switch {
	case field == "Host" && s == host:
		return "<host>"
	case field == "ClusterID" && s != "":
		return f.names.name("cluster", s)
	case field == "LogDir" && s != "":
		return f.names.name("directory", s)
	}
	return strconv.Quote(f.names.text(s))
}

func (f *flattener) number(field string, n int64) string {
	plain := strconv.FormatInt(n, 10)
	_, port, _ := net.SplitHostPort(f.names.addr)
	switch {
	case strings.HasSuffix(field, "ErrorCode"):
		return kafka.ErrorCode(n).String()
	case field == "Port" && f.names.portOf(plain) > 0:
		return fmt.Sprintf("<port of %d>", f.names.portOf(plain))
	case field == "Port" && plain == port:
		return "<port>"
	case field == "ProducerID" && n >= 0:
		return f.names.name("producer", plain)
	case field == "SessionID" && n != 0:
		return f.names.name("session", plain)
	case field == "FinalizedFeaturesEpoch" && n >= 0:
		return "<offset of the metadata log>"
	case (field == "TotalBytes" || field == "UsableBytes") && n > 0:
		return "<bytes>"
	case strings.HasSuffix(field, "Timestamp") || field == "LogAppendTimeMs" || field == "TransactionStartTimeMs":
		if f.names.isNow(n) {
			return "<now>"
		}
	}
	return plain
}
