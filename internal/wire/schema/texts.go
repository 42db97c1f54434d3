package schema

import (
	"embed"
	"fmt"
)

//go:embed consumer_protocol.txt control_records.txt group_records.txt metadata_records.txt share_records.txt storage_records.txt transaction_records.txt
var texts embed.FS

// Records returns the messages of one text about records, by the name of its file without .txt: control_records,
// group_records and so on. The texts of the requests are not in the binary.
func Records(name string) []Message {
	text, err := texts.ReadFile(name + ".txt")
	if err != nil {
		panic(fmt.Sprintf("BUG: %v", err))
	}
	messages, err := Parse(string(text))
	if err != nil {
		panic(fmt.Sprintf("BUG: %s.txt: %v", name, err))
	}
	return messages
}
