@main struct Square { static func main() {} }
