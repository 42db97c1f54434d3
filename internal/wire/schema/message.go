package schema

// Kind says what a message is for.
type Kind string

// The kinds of messages, by Kafka's own names.
const (
	Request          Kind = "request"
	Response         Kind = "response"
	Header           Kind = "header"
	Data             Kind = "data"
	Metadata         Kind = "metadata"
	CoordinatorKey   Kind = "coordinator-key"
	CoordinatorValue Kind = "coordinator-value"
)

// NoKey is the Key of a message that has neither an API key nor a record type.
const NoKey = -1

// Message is one schema: the facts of one of Kafka's JSON files.
type Message struct {
	Kind      Kind
	Key       int // API key or record type, NoKey if none
	Name      string
	Versions  Versions // None for an API that Kafka removed
	Flexible  Versions
	Unstable  bool     // the latest version is not served by default
	Listeners []string // of requests: broker, controller
	Fields    []Field
	Structs   []Struct // structs that several fields share
}

// Struct is a struct that several fields of a message share.
type Struct struct {
	Name     string
	Versions Versions
	Fields   []Field
}

// Field is a field of a message or struct.
type Field struct {
	Name      string
	Type      string // bool, int8, ..., string, bytes, records, uuid, a struct's name, or [] before one of them
	Versions  Versions
	Nullable  Versions
	Tagged    Versions // versions in which the field travels in the tag section
	Tag       int
	Default   string // "" for the type's zero value; "null"; a number, a bool or a text
	Classic   bool   // has its classic form in flexible versions too
	Key       bool   // part of the key by which Kafka indexes the collection
	Ignorable bool   // silently left out of versions that lack it
	Entity    string
	Fields    []Field // of a struct that is declared here
}

// IsArray reports whether the field is an array.
func (f *Field) IsArray() bool { return len(f.Type) > 2 && f.Type[:2] == "[]" }

// Element is the type without the [] of an array.
func (f *Field) Element() string {
	if f.IsArray() {
		return f.Type[2:]
	}
	return f.Type
}

// IsStruct reports whether the field is a struct or an array of structs: Kafka's struct names begin
// with a capital letter, the names of other types do not.
func (f *Field) IsStruct() bool {
	c := f.Element()[0]
	return 'A' <= c && c <= 'Z'
}
