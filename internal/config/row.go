package config

import "time"

// Row is everything known about one property of one kind of resource. Rows are plain data and never change.
type Row struct {
	// Name is Kafka's name of the property, such as log.retention.ms.
	Name string
	Type Type
	// Default is the value in its textual form when nobody sets the property; Null says that there is none.
	Default string
	Null    bool
	// Valid restricts the value beyond its type; nil allows everything.
	Valid      Validator
	Importance Importance
	// Update says whether a running broker takes a new value. Only broker rows use it; all others change any time.
	Update UpdateMode
	// Internal rows are hidden from descriptions until somebody sets them, as in Kafka.
	Internal bool
	// Required rows have no default in Kafka: ours stands in while nobody sets the property, and is not told otherwise.
	Required bool
	// Synonyms are the broker properties that this topic or group property falls back to, in order of precedence.
	Synonyms []Synonym
	Unit     Unit
	// Doc is one sentence for DescribeConfigs and the documentation.
	Doc string
	// Status says what setting the property does here; Why gives the reason when it is not Enforced.
	Status Status
	Why    string

	index int // place in its table and in every slice of values of that table
}

// Sensitive reports whether the value must never be shown.
func (r *Row) Sensitive() bool { return r.Type == Password }

// Synonym is a broker property that gives a topic or group property its value when the resource has none of its own.
type Synonym struct {
	Row *Row
	// Factor turns the synonym's unit into the property's own: 3,600,000 for hours to milliseconds.
	Factor int64
}

// Key names a property of resource R whose value has the Go type T, so that a misspelt name, the wrong resource or
// the wrong type do not compile.
type Key[R Resource, T Value] struct{ *Row }

// Resource lists the kinds of resources that have properties.
type Resource interface {
	OfBroker | OfTopic | OfGroup | OfClientMetrics
}

// The kinds of resources. They only mark keys; they have no values.
type (
	OfBroker        struct{}
	OfTopic         struct{}
	OfGroup         struct{}
	OfClientMetrics struct{}
)

// Value lists the Go types of values: int for INT and SHORT, int64 for LONG, string for STRING, CLASS and PASSWORD.
type Value interface {
	bool | int | int64 | float64 | string | []string
}

// Type is the type of a property's value, Kafka's ConfigDef.Type. The numbers are those of DescribeConfigs.
type Type int8

const (
	UnknownType Type = 0
	Boolean     Type = 1
	String      Type = 2
	Int         Type = 3
	Short       Type = 4
	Long        Type = 5
	Double      Type = 6
	List        Type = 7
	Class       Type = 8
	Password    Type = 9
)

// String returns Kafka's name of the type, as error texts show it.
func (t Type) String() string {
	names := [...]string{"UNKNOWN", "BOOLEAN", "STRING", "INT", "SHORT", "LONG", "DOUBLE", "LIST", "CLASS", "PASSWORD"}
	if t < 0 || int(t) >= len(names) {
		return "UNKNOWN"
	}
	return names[t]
}

// bits is the size of an integer type.
func (t Type) bits() int {
	switch t {
	case Short:
		return 16
	case Int:
		return 32
	}
	return 64
}

// Importance is Kafka's ranking of properties.
type Importance int8

const (
	High Importance = iota
	Medium
	Low
)

// String returns high, medium or low.
func (i Importance) String() string { return [...]string{"high", "medium", "low"}[i] }

// UpdateMode says how a broker property changes while the broker runs.
type UpdateMode int8

const (
	// ReadOnly needs a restart.
	ReadOnly UpdateMode = iota
	// PerBroker can be set for one broker, not as a cluster-wide default.
	PerBroker
	// ClusterWide can be set for one broker and as a cluster-wide default.
	ClusterWide
)

// String returns Kafka's name of the mode: read-only, per-broker or cluster-wide.
func (m UpdateMode) String() string { return [...]string{"read-only", "per-broker", "cluster-wide"}[m] }

// Unit is the unit of a number.
type Unit int8

const (
	NoUnit Unit = iota
	Milliseconds
	Seconds
	Minutes
	Hours
	Bytes
	BytesPerSecond
)

// String returns the unit's short name, such as ms or bytes.
func (u Unit) String() string {
	return [...]string{"", "ms", "s", "min", "h", "bytes", "bytes/s"}[u]
}

// duration returns the length of a unit of time, 0 for other units.
func (u Unit) duration() time.Duration {
	switch u {
	case Milliseconds:
		return time.Millisecond
	case Seconds:
		return time.Second
	case Minutes:
		return time.Minute
	case Hours:
		return time.Hour
	}
	return 0
}

// Status says what happens here when a property is set.
type Status int8

const (
	// Enforced properties do what Kafka does with them.
	Enforced Status = iota
	// Later properties are accepted and will be enforced by a coming version; today they change nothing.
	Later
	// NoEffect properties are accepted and have nothing to act on in this broker, for the reason in Why.
	NoEffect
	// Refused properties stop the broker unless they keep their default, because ignoring them would be dangerous.
	Refused
)

// String returns the status in words.
func (s Status) String() string {
	return [...]string{"enforced", "accepted, has no effect in this version", "accepted, has no effect here", "refused"}[s]
}
