@main struct Median { static func main() {} }
