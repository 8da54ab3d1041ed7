import PonosCore
