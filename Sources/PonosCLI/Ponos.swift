@main struct Ponos { static func main() {} }
