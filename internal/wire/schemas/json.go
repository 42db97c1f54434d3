package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/ottla/ottla/internal/wire/schema"
)

// message, structure and field are the parts of Kafka's JSON that are facts.
type message struct {
	APIKey                *int
	Type, Name            string
	ValidVersions         string
	FlexibleVersions      string
	LatestVersionUnstable bool
	Listeners             []string
	Fields                []field
	CommonStructs         []structure
}

type structure struct {
	Name, Versions string
	Fields         []field
}

type field struct {
	Name, Type       string
	Versions         string
	NullableVersions string
	TaggedVersions   string
	FlexibleVersions string
	Tag              *int
	Default          any
	MapKey           bool
	Ignorable        bool
	EntityType       string
	Fields           []field
}

func parseJSON(text []byte) (schema.Message, error) {
	var in message
	if err := json.Unmarshal(stripComments(text), &in); err != nil {
		return schema.Message{}, err
	}
	r := reader{}
	out := schema.Message{
		Kind:      schema.Kind(in.Type),
		Key:       schema.NoKey,
		Name:      in.Name,
		Versions:  r.versions(in.ValidVersions, schema.None),
		Flexible:  r.versions(in.FlexibleVersions, schema.None),
		Unstable:  in.LatestVersionUnstable,
		Listeners: in.Listeners,
		Fields:    r.fields(in.Fields),
	}
	if in.APIKey != nil {
		out.Key = *in.APIKey
	}
	for _, s := range in.CommonStructs {
		out.Structs = append(out.Structs, schema.Struct{
			Name: s.Name, Versions: r.versions(s.Versions, schema.All), Fields: r.fields(s.Fields)})
	}
	return out, r.err
}

// reader turns JSON values into facts and keeps the first error.
type reader struct{ err error }

func (r *reader) versions(text string, absent schema.Versions) schema.Versions {
	if text == "" {
		return absent
	}
	v, err := schema.ParseVersions(text)
	if err != nil && r.err == nil {
		r.err = err
	}
	return v
}

func (r *reader) fields(in []field) []schema.Field {
	var out []schema.Field
	for _, f := range in {
		tagged := r.versions(f.TaggedVersions, schema.None)
		o := schema.Field{
			Name: f.Name,
			Type: f.Type,
			// A tagged field may leave its versions out: they are its tagged versions.
			Versions:  r.versions(f.Versions, tagged),
			Nullable:  r.versions(f.NullableVersions, schema.None),
			Tagged:    tagged,
			Default:   r.defaultValue(&f),
			Classic:   f.FlexibleVersions == "none",
			Key:       f.MapKey,
			Ignorable: f.Ignorable,
			Entity:    f.EntityType,
			Fields:    r.fields(f.Fields),
		}
		if f.Tag != nil {
			o.Tag = *f.Tag
		}
		out = append(out, o)
	}
	return out
}

// defaultValue returns the default in the notation, "" when it is the zero value of the type. The
// JSON has numbers and booleans bare and in quotes; a bare null means that nothing was given, only
// the text "null" makes null the default.
func (r *reader) defaultValue(f *field) string {
	var text string
	switch v := f.Default.(type) {
	case nil:
		return ""
	case string:
		text = v
	case bool:
		text = strconv.FormatBool(v)
	case float64:
		text = strconv.FormatFloat(v, 'f', -1, 64)
	default:
		if r.err == nil {
			r.err = fmt.Errorf("default of %s: unexpected %v", f.Name, v)
		}
	}
	if text == "0" || text == "false" {
		return ""
	}
	return text
}

// stripComments blanks // comments, which Kafka's schemas have and JSON has not.
func stripComments(text []byte) []byte {
	lines := bytes.Split(text, []byte("\n"))
	for i, line := range lines {
		inString := false
		for j := 0; j < len(line); j++ {
			switch {
			case line[j] == '\\' && inString:
				j++
			case line[j] == '"':
				inString = !inString
			case !inString && bytes.HasPrefix(line[j:], []byte("//")):
				lines[i] = line[:j]
				j = len(line)
			}
		}
	}
	return bytes.Join(lines, []byte("\n"))
}
