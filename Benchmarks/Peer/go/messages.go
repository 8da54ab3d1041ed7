package main

import (
	"encoding/binary"
	"errors"
)

// rawCodec passes messages on as they are; they are read and written here by hand, which costs less than generated code.
type rawCodec struct{}

func (rawCodec) Marshal(v interface{}) ([]byte, error) { return *v.(*[]byte), nil }
func (rawCodec) Unmarshal(data []byte, v interface{}) error {
	*v.(*[]byte) = append([]byte{}, data...)
	return nil
}
func (rawCodec) Name() string   { return "proto" }
func (rawCodec) String() string { return "proto" }

// submission is a TaskSubmission.
type submission struct {
	idText, aggregatorText, avsText, executorText string
	id, avs, executor                             []byte
	payload, signature                            []byte
	set, timestamp, version                       uint32
	block                                         uint64
}

func readSubmission(message []byte) (*submission, error) {
	task := &submission{}
	err := eachField(message, func(field int, number uint64, value []byte) {
		switch field {
		case 1:
			task.idText = string(value)
		case 2:
			task.aggregatorText = string(value)
		case 3:
			task.avsText = string(value)
		case 4:
			task.payload = value
		case 5:
			task.signature = value
		case 6:
			task.set = uint32(number)
		case 7:
			task.timestamp = uint32(number)
		case 8:
			task.executorText = string(value)
		case 9:
			task.block = number
		case 10:
			task.version = uint32(number)
		}
	})
	if err != nil {
		return nil, err
	}
	task.id, task.avs, task.executor = unhex(task.idText), unhex(task.avsText), unhex(task.executorText)
	if len(task.id) != 32 || len(task.avs) != 20 || len(task.executor) != 20 || len(task.signature) != 65 {
		return nil, errors.New("a field has another length")
	}
	return task, nil
}

// digest is what the aggregator has signed.
func (t *submission) digest() []byte {
	return hash(
		t.id, word(t.avs), word(t.executor), number(uint64(t.set)), number(uint64(t.timestamp)), number(t.block), hash(t.payload))
}

// answer is the TaskResult.
func (t *submission) answer(operator, output, result, auth []byte) []byte {
	message := make([]byte, 0, len(output)+512)
	message = appendBytes(message, 1, []byte(t.idText))
	message = appendBytes(message, 2, []byte(t.executorText))
	message = appendBytes(message, 3, output)
	message = appendBytes(message, 4, result)
	message = appendBytes(message, 5, []byte(t.avsText))
	message = appendNumber(message, 6, uint64(t.set))
	message = appendBytes(message, 7, auth)
	return appendNumber(message, 8, uint64(t.version))
}

// eachField reads a message of protocol buffers; only numbers and byte strings are known.
func eachField(message []byte, take func(field int, number uint64, value []byte)) error {
	for len(message) > 0 {
		tag, size := binary.Uvarint(message)
		if size <= 0 {
			return errors.New("a tag is cut off")
		}
		message = message[size:]
		value, size := binary.Uvarint(message)
		if size <= 0 {
			return errors.New("a value is cut off")
		}
		message = message[size:]
		switch tag & 7 {
		case 0:
			take(int(tag>>3), value, nil)
		case 2:
			if value > uint64(len(message)) {
				return errors.New("a byte string is cut off")
			}
			take(int(tag>>3), 0, message[:value])
			message = message[value:]
		default:
			return errors.New("a field of an unknown type")
		}
	}
	return nil
}

func appendBytes(message []byte, field int, value []byte) []byte {
	return append(appendVarint(appendVarint(message, uint64(field)<<3|2), uint64(len(value))), value...)
}

func appendNumber(message []byte, field int, value uint64) []byte {
	return appendVarint(appendVarint(message, uint64(field)<<3), value)
}

func appendVarint(message []byte, value uint64) []byte {
	var buffer [binary.MaxVarintLen64]byte
	return append(message, buffer[:binary.PutUvarint(buffer[:], value)]...)
}
