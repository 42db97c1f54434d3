package tools

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
)

// A jsonValue is a value of a JSON file that an operator wrote. What is not as it should be fails as in Kafka's tools
// (org.apache.kafka.server.util.json).
type jsonValue struct{ raw json.RawMessage }

var bareWord = regexp.MustCompile(`^\s*([A-Za-z_$][A-Za-z0-9_$]*)`)

// parseJSON reads a whole file.
func parseJSON(text []byte) (jsonValue, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return jsonValue{}, operationFailed("The input string shouldn't be empty")
	}
	var v jsonValue
	if err := json.Unmarshal(text, &v.raw); err != nil {
		if word := bareWord.FindSubmatch(text); word != nil {
			return v, operationFailed("Unrecognized token '" + string(word[1]) + "': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')")
		}
		return v, operationFailed(err.Error())
	}
	return v, nil
}

// jsonMapping is the failure of a value that is none of what is wanted.
func jsonMapping(message string) error {
	return &exception{class: "com.fasterxml.jackson.databind.JsonMappingException", message: message}
}

func (v jsonValue) String() string {
	var b bytes.Buffer
	if json.Compact(&b, v.raw) != nil {
		return string(v.raw)
	}
	return b.String()
}

// decode reads the value into what has its JSON type; expected names that type in the failure. null is of no type.
func (v jsonValue) decode(expected string, into any) error {
	if bytes.Equal(bytes.TrimSpace(v.raw), []byte("null")) || json.Unmarshal(v.raw, into) != nil {
		return jsonMapping(fmt.Sprintf("Expected %s, received %s", expected, v))
	}
	return nil
}

type jsonObject map[string]json.RawMessage

func (v jsonValue) object() (o jsonObject, err error) { return o, v.decode("JSON object", &o) }

// array returns the elements; expected is what a failure calls it.
func (v jsonValue) array(expected string) ([]jsonValue, error) {
	var raw []json.RawMessage
	if err := v.decode(expected, &raw); err != nil {
		return nil, err
	}
	all := make([]jsonValue, len(raw))
	for i := range raw {
		all[i].raw = raw[i]
	}
	return all, nil
}

func (v jsonValue) text() (s string, err error)   { return s, v.decode("`String` value", &s) }
func (v jsonValue) integer() (n int32, err error) { return n, v.decode("`Integer` value", &n) }

// listOf reads an array of values of one type.
func listOf[T any](v jsonValue, read func(jsonValue) (T, error)) ([]T, error) {
	elements, err := v.array("`JSON array` value")
	if err != nil {
		return nil, err
	}
	all := make([]T, len(elements))
	for i, e := range elements {
		if all[i], err = read(e); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// get returns a field that need not be there.
func (o jsonObject) get(name string) (v jsonValue, found bool) {
	v.raw, found = o[name]
	return v, found
}

// field reads a field that has to be there.
func field[T any](o jsonObject, name string, read func(jsonValue) (T, error)) (T, error) {
	v, found := o.get(name)
	if !found {
		var none T
		return none, jsonMapping("No such field exists: `" + name + "`")
	}
	return read(v)
}

// entries returns the objects of a list that need not be there; found tells whether it is.
func (o jsonObject) entries(name string) (all []jsonObject, found bool, err error) {
	v, found := o.get(name)
	if !found {
		return nil, false, nil
	}
	elements, err := v.array("JSON array")
	for _, e := range elements {
		entry, err := e.object()
		if err != nil {
			return nil, true, err
		}
		all = append(all, entry)
	}
	return all, true, err
}

// versioned checks the version of a file, which is 1 if it says nothing.
func (v jsonValue) versioned() (jsonObject, error) {
	o, err := v.object()
	if err != nil {
		return nil, err
	}
	if stated, found := o.get("version"); found {
		version, err := stated.integer()
		if err != nil {
			return nil, err
		}
		if version != 1 {
			return nil, operationFailed(fmt.Sprintf("Not supported version field value %d", version))
		}
	}
	return o, nil
}
